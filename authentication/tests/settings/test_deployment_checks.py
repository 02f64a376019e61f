"""`manage.py check --deploy`: each weak setting is named."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from authentication.checks import check_places_file
from authentication.tests.places import write_places

from .reader import DEVELOPMENT, read_all

STRONG: dict[str, Any] = {
    "ADMIN_REQUIRE_OTP": True,
    "PASSWORD_MIN_LENGTH": 12,
    "RATELIMIT_ENABLE": True,
    "REQUIRE_EMAIL_VERIFICATION": True,
    "EMAIL_HOST": "mail.internal",
    "EMAIL_USE_TLS": True,
    "EMAIL_USE_SSL": False,
    "HIBP_ENABLED": True,
    "HIBP_API_URL": "https://breaches.internal",
    "CLIENT_ADDRESS_IS_STATED": True,
    "CELERY_BROKER_URL": "redis://:moab@cache.internal:6379/0",
}
REDIS = {"BACKEND": "django_redis.cache.RedisCache"}


@pytest.fixture(autouse=True)
def _strong(settings: Settings) -> None:
    for name, value in STRONG.items():
        setattr(settings, name, value)
    settings.CACHES = {"default": {**REDIS, "LOCATION": "rediss://ruth:moab@cache.internal/0"}}


def named() -> list[str]:
    found = run_checks(tags=["security"], include_deployment_checks=True)
    return [str(it.id) for it in found if str(it.id).startswith("authentication.W00")]


def test_strong_settings_are_not_named() -> None:
    assert named() == []


@pytest.mark.parametrize(
    ("changed", "warning"),
    [
        ({"ADMIN_REQUIRE_OTP": False}, "W001"),
        ({"PASSWORD_MIN_LENGTH": 11}, "W002"),
        ({"RATELIMIT_ENABLE": False}, "W003"),
        ({"REQUIRE_EMAIL_VERIFICATION": False}, "W004"),
        ({"CELERY_BROKER_URL": "redis://ruth@cache.internal/0"}, "W005"),
        ({"CACHES": {"default": {**REDIS, "LOCATION": "unix:///run/redis.sock"}}}, "W005"),
        ({"EMAIL_USE_TLS": False}, "W006"),
        ({"EMAIL_USE_SSL": True}, "W007"),
        ({"HIBP_API_URL": "http://breaches.internal"}, "W008"),
        ({"CLIENT_ADDRESS_IS_STATED": False}, "W009"),
    ],
)
def test_a_weak_setting_is_named(
    settings: Settings, changed: dict[str, object], warning: str
) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)

    assert named() == [f"authentication.{warning}"]


@pytest.mark.parametrize(
    "changed",
    [
        {"EMAIL_HOST": "localhost", "EMAIL_USE_TLS": False},
        {"EMAIL_HOST": "", "EMAIL_USE_TLS": False},
        {"EMAIL_USE_TLS": False, "EMAIL_USE_SSL": True},
        {"HIBP_ENABLED": False, "HIBP_API_URL": "http://breaches.internal"},
        {"CELERY_BROKER_URL": "amqp://broker.internal//"},
        {"CELERY_BROKER_URL": "unix:///run/redis.sock?password=moab"},
    ],
)
def test_what_is_not_weak_is_not_named(settings: Settings, changed: dict[str, object]) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)

    assert named() == []


@pytest.mark.parametrize(
    ("told", "stated"),
    [
        ({}, False),
        ({"TRUSTED_PROXY_COUNT": ""}, False),
        ({"TRUSTED_PROXY_COUNT": "0"}, True),
        ({"TRUSTED_PROXY_COUNT": "2"}, True),
        ({"CLIENT_IP_HEADER": "X-Real-IP"}, True),
    ],
)
def test_a_proxy_is_stated_by_either_setting_or_an_explicit_zero(
    told: dict[str, str], *, stated: bool
) -> None:
    (found,) = read_all([DEVELOPMENT | told], "CLIENT_ADDRESS_IS_STATED")

    assert found == {"CLIENT_ADDRESS_IS_STATED": str(stated)}


@pytest.mark.parametrize(
    ("logo", "faults"),
    [
        ("account/favicon.svg", []),
        ("/media/mark.png", []),
        ("account/nowhere.svg", ["authentication.E002"]),
    ],
)
def test_a_logo_that_is_no_file_is_named(settings: Settings, logo: str, faults: list[str]) -> None:
    settings.SITE_LOGO = logo

    assert [it.id for it in run_checks(tags=["templates"])] == faults


class TestPlacesFile:
    @staticmethod
    def named() -> list[str]:
        return [str(it.id) for it in check_places_file()]

    def test_a_fresh_file_is_not_named(self, settings: Settings, tmp_path: Path) -> None:
        settings.GEOIP_PATH = write_places(tmp_path / "places.mmdb")

        assert self.named() == []

    def test_an_old_file_is_named(self, settings: Settings, tmp_path: Path) -> None:
        settings.GEOIP_PATH = write_places(tmp_path / "old", age=dt.timedelta(days=181))

        assert self.named() == ["authentication.W013"]

    @pytest.mark.parametrize("content", [None, b"", b"<html>"])
    def test_a_file_that_cannot_be_read_is_named(
        self, settings: Settings, tmp_path: Path, content: bytes | None
    ) -> None:
        settings.GEOIP_PATH = tmp_path / "places.mmdb"
        if content is not None:
            settings.GEOIP_PATH.write_bytes(content)

        assert self.named() == ["authentication.W012"]

    @pytest.mark.parametrize("change", [{"GEOIP_PATH": None}, {"LOCATION_DETAIL": "off"}])
    def test_no_file_is_needed_for_no_places(
        self, settings: Settings, tmp_path: Path, change: dict[str, Any]
    ) -> None:
        settings.GEOIP_PATH = tmp_path / "missing.mmdb"
        for name, value in change.items():
            setattr(settings, name, value)

        assert self.named() == []
