"""The addresses of Redis: password, user, TLS."""

import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings

from .reader import DEVELOPMENT, clean_environment, read_all


def broker_of(**values: str) -> dict[str, Any]:
    names = ("CELERY_BROKER_URL", "CELERY_BROKER_USE_SSL")
    (found,) = read_all([{**DEVELOPMENT, **values}], *names)
    return dict(found)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("redis://host:6379/0", "redis://:p%40ss@host:6379/0"),
        ("redis://ruth@host/0", "redis://ruth:p%40ss@host/0"),
        ("redis://ruth:@host/0", "redis://ruth:p%40ss@host/0"),
        ("redis://ruth:own@host/0", "redis://ruth:own@host/0"),
        ("rediss://host/0?ssl_ca_certs=/ca", "rediss://:p%40ss@host/0?ssl_ca_certs=/ca"),
        ("unix:///run/redis.sock?db=1", "unix://:p%40ss@/run/redis.sock?db=1"),
    ],
)
@pytest.mark.parametrize("name", ["REDIS_URL", "CELERY_BROKER_URL"])
def test_the_password_is_added_and_a_user_stays(name: str, given: str, made: str) -> None:
    assert broker_of(**{name: given, "REDIS_PASSWORD": "p@ss"})["CELERY_BROKER_URL"] == repr(made)


def test_a_broker_of_another_kind_does_not_get_the_password() -> None:
    at = "amqp://guest@host//"

    assert broker_of(CELERY_BROKER_URL=at, REDIS_PASSWORD="p@ss")["CELERY_BROKER_URL"] == repr(at)


@pytest.mark.parametrize("name", ["REDIS_URL", "CELERY_BROKER_URL"])
def test_a_broker_with_tls_is_verified(name: str) -> None:
    told = broker_of(**{name: "rediss://host/0"})["CELERY_BROKER_USE_SSL"]

    assert told == "{'ssl_cert_reqs': 'required', 'ssl_check_hostname': True}"


@pytest.mark.slow
def test_celery_uses_the_address_with_the_password() -> None:
    program = (
        "from vineyard_group_fellowship import celery_app as app;"
        "print(app.connection_for_read().password, app.connection_for_write().password)"
    )
    told = {"CELERY_BROKER_URL": "redis://host/0", "REDIS_PASSWORD": "known", **DEVELOPMENT}

    printed = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env=clean_environment(**told),
        capture_output=True,
        text=True,
        check=True,
    )

    assert printed.stdout.split() == ["known", "known"]
