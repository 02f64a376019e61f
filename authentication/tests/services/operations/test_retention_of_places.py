"""What a smaller LOCATION_DETAIL removes."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from authentication.models import KnownCountry, User, UserSession
from authentication.services.operations import RetentionService

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(person: User) -> UserSession:
    later = timezone.now() + dt.timedelta(days=1)
    return UserSession.objects.create(user=person, city="Berlin", country="DE", expires_at=later)


@pytest.mark.parametrize(
    ("detail", "kept", "count"),
    [("city", ("Berlin", "DE"), 0), ("country", ("", "DE"), 1), ("off", ("", ""), 1)],
)
def test_places_that_are_no_longer_shown_are_removed_by_hand(
    session: UserSession, settings: Settings, detail: str, kept: Any, count: int
) -> None:
    settings.LOCATION_DETAIL = detail

    assert RetentionService.clean("places").count == count

    session.refresh_from_db()
    assert (session.city, session.country) == kept


def test_without_places_known_countries_are_forgotten(person: User, settings: Settings) -> None:
    now = timezone.now()
    KnownCountry.objects.create(
        user=person, country="DE", ip_address="91.64.0.7", created_at=now, last_used_at=now
    )
    RetentionService.clean("sessions")
    assert KnownCountry.objects.exists()

    settings.LOCATION_DETAIL = "off"
    RetentionService.clean("sessions")

    assert not KnownCountry.objects.exists()
