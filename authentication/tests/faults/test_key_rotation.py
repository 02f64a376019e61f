"""Rotating keys while old and new processes run: docs/operations.md's order loses no request."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import caches
from pytest_django import Settings

from authentication.models import User
from authentication.services.operations.key_order import KEY
from authentication.tests.factories import PASSWORD, Factor, UserFactory, give_factor

from . import rig
from .callers import Caller, Serve

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

NAMES = ("SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEYS")
OLD, NEW = "the old key ", "the new key "


def keys(first: str, *others: str) -> dict[str, str]:
    """Return the settings of every key: the first in use, the others as fallbacks."""
    names = {"SECRET_KEY": "s" * 50, "JWT_SIGNING_KEY": "j" * 50}
    told = {name: first + tail for name, tail in names.items()}
    for name, tail in names.items():
        told[f"{name}_FALLBACKS"] = ",".join(it + tail for it in others)
    return {**told, "FIELD_ENCRYPTION_KEYS": ",".join(it + "f" * 50 for it in (first, *others))}


ONLY_OLD, ONLY_NEW = keys(OLD), keys(NEW)
NEW_AS_FALLBACK, NEW_FIRST = keys(OLD, NEW), keys(NEW, OLD)


@pytest.fixture(autouse=True)
def _no_keys_are_known() -> Iterator[None]:
    caches["default"].delete(KEY)
    yield
    caches["default"].delete(KEY)


def profile(caller: Caller, tokens: dict[str, Any]) -> int:
    told = {"Authorization": f"Bearer {tokens['access']}"}
    return rig.asked(caller.port, "GET", "/api/v1/profiles/me/", headers=told).status


def with_sealed_factor(settings: Settings, told: dict[str, str]) -> tuple[User, Factor]:
    """Return a user whose second factor a process with these keys has encrypted."""
    settings.FIELD_ENCRYPTION_KEYS = told["FIELD_ENCRYPTION_KEYS"].split(",")
    person = UserFactory()
    return person, give_factor(person)


def statuses(settings: Settings, told: dict[str, str], here: Caller, there: Caller) -> list[int]:
    """Return how one process answers to what another with these keys has signed and encrypted."""
    _, tokens, _ = here.sign_in(UserFactory())
    status, fresh, _ = there.ask("POST", "/token/refresh/", {"refresh": tokens["refresh"]})
    person, factor = with_sealed_factor(settings, told)
    name = {"email": person.email, "password": PASSWORD, "otp": factor.code()}
    found = [profile(there, tokens), status, there.ask("POST", "/login/", name)[0]]
    return [*found, profile(here, fresh)] if "access" in fresh else found


@pytest.mark.parametrize(
    ("one", "other"),
    [(ONLY_OLD, NEW_AS_FALLBACK), (NEW_AS_FALLBACK, NEW_FIRST), (NEW_FIRST, ONLY_NEW)],
    ids=["the new key goes out", "the new key comes first", "the old key goes"],
)
def test_processes_of_neighbouring_steps_accept_each_other(
    serve: Serve, settings: Settings, one: dict[str, str], other: dict[str, str]
) -> None:
    first, second = (serve(**told, WEB_CONCURRENCY="1")[0] for told in (one, other))

    there = statuses(settings, one, first, second)
    back = statuses(settings, other, second, first)

    assert (there, back) == ([200] * 4, [200] * 4)


def test_a_new_key_in_one_step_is_refused_by_processes_that_lack_it(
    serve: Serve, settings: Settings
) -> None:
    before, after = (serve(**told, WEB_CONCURRENCY="1")[0] for told in (ONLY_OLD, NEW_FIRST))

    assert statuses(settings, NEW_FIRST, after, before) == [401, 401, 503]
    assert statuses(settings, ONLY_OLD, before, after) == [200, 200, 200, 401]


def warnings(told: dict[str, str]) -> set[str]:
    """Return the warnings about the order that the deploy check gives with these keys."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=rig.ROOT,
        env=rig.environment(**told),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(re.findall(r"(?<=authentication\.)W01[01]\) \w+", done.stderr))


def test_the_deploy_check_sees_which_keys_running_processes_have(serve: Serve) -> None:
    caller, _ = serve(**ONLY_OLD, WEB_CONCURRENCY="1")
    assert caller.ask("GET", "/health/")[0] == 200

    assert warnings(ONLY_OLD) == warnings(NEW_AS_FALLBACK) == set()
    assert warnings(NEW_FIRST) == {f"W010) {name}" for name in NAMES}
    assert warnings(ONLY_NEW) == {f"W01{it}) {name}" for name in NAMES for it in (0, 1)}


def test_a_worker_tells_its_keys_too(start_worker: Callable[..., Any]) -> None:
    start_worker(**ONLY_OLD)

    rig.until(lambda: caches["default"].get(KEY), what="the worker's keys")
    assert warnings(NEW_FIRST) == {f"W010) {name}" for name in NAMES}
