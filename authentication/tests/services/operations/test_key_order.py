"""What `check --deploy` says about keys: their order, and secrets whose key is gone."""

import json

import pytest
from django.core.cache import caches
from django.core.checks import run_checks
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import SecondFactor, User
from authentication.services.operations import key_order
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, forget_cached
from authentication.tests.factories import give_factor
from authentication.utils.encryption import encrypt
from authentication.utils.keys import fingerprints

OLD, NEW = "the-old-key-of-more-than-32-letters", "the-new-key-of-more-than-32-letters"

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


@pytest.fixture(autouse=True)
def _old_keys_are_announced(api: APIClient, settings: Settings) -> None:
    use(settings, OLD)
    replace_processes(api)


def replace_processes(api: APIClient) -> None:
    """Forget the processes that ran, and let one with the keys of now be asked for its health."""
    forget_cached()
    key_order._written_at.clear()
    api.get(f"{API}/health/")


def use(settings: Settings, first: str, *others: str) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = first, list(others)
    settings.JWT_SIGNING_KEY, settings.JWT_SIGNING_KEY_FALLBACKS = first, list(others)
    settings.FIELD_ENCRYPTION_KEYS = [first, *others]


def found(*, databases: list[str] | None = None) -> list[str]:
    messages = run_checks(include_deployment_checks=True, databases=databases)
    wanted = ("authentication.W01", "authentication.I", "authentication.E")
    return sorted({str(it.id) for it in messages if str(it.id).startswith(wanted)})


def test_what_is_announced_reveals_no_key(settings: Settings) -> None:
    stored = json.dumps(caches["default"].get(key_order.KEY))

    assert OLD not in stored
    assert len({prints[0] for prints in fingerprints().values()}) == 1
    use(settings, NEW)
    assert not set(fingerprints()["SECRET_KEY"]) & set(stored.split('"'))


def test_the_order_is_new_as_a_fallback_then_first_then_alone(
    settings: Settings, api: APIClient
) -> None:
    for first, *others in ((OLD,), (OLD, NEW), (NEW, OLD), (NEW,)):
        use(settings, first, *others)
        assert found() == []
        replace_processes(api)


@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SIGNING_KEY", "FIELD_ENCRYPTION_KEYS"])
def test_each_key_is_looked_at(settings: Settings, name: str) -> None:
    setattr(settings, name, [NEW] if name == "FIELD_ENCRYPTION_KEYS" else NEW)

    assert found() == ["authentication.W010", "authentication.W011"]


def test_processes_that_have_ended_are_forgotten_after_two_minutes(
    settings: Settings, time_machine: TimeMachineFixture
) -> None:
    use(settings, NEW, OLD)
    time_machine.shift(119)
    assert found() == ["authentication.W010"]

    time_machine.shift(1)

    assert found() == []


def test_without_redis_it_says_that_it_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(caches["default"], "get", fail)

    assert found() == ["authentication.I001"]


def test_an_empty_database_has_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SecondFactor._meta, "db_table", "not_migrated_yet")

    assert found(databases=["default"]) == []


def test_a_secret_without_its_key_is_an_error(settings: Settings, person: User) -> None:
    give_factor(person)
    pending = encrypt(b"x", context=f"totp:{person.pk}")
    assert found(databases=["default"]) == []

    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    assert found(databases=["default"]) == ["authentication.W010"]
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert "authentication.E001" in found(databases=["default"])
    assert "authentication.E001" not in found()

    SecondFactor.objects.update(seed="", pending_seed=pending)
    assert "authentication.E001" in found(databases=["default"])
