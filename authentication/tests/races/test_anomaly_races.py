"""Several workers look for unusual uses at once, and beside an erasure."""

import datetime as dt
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from authentication.models import AuditLog, ExaminedUntil, KnownCountry, OutgoingEmail, User
from authentication.services.accounts.erasure import erase
from authentication.services.anomalies import AnomalyService
from authentication.tests.factories import UserFactory
from authentication.tests.places import BERLIN, LONDON, write_places

from .crowd import all_at_once

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _file(settings: Settings, tmp_path: Path) -> None:
    settings.GEOIP_PATH = write_places(tmp_path / "places.mmdb")


def use(person: User, address: str, *, hours: float) -> None:
    at = timezone.now() - dt.timedelta(hours=hours)
    AuditLog.log_event("token_refresh", user=person, ip_address=address, timestamp=at)


def examine() -> None:
    AnomalyService.examine(seconds=60)


@pytest.mark.parametrize("_", range(3))
def test_a_new_country_is_reported_once(person: User, _: int) -> None:
    use(person, BERLIN, hours=9)
    use(person, LONDON, hours=1)
    now = timezone.now()
    for number in range(20):
        AuditLog.log_event(
            "login_failed",
            ip_address="198.51.100.7",
            metadata={"reason": "credentials", "name": str(number)},
            timestamp=now - dt.timedelta(minutes=5),
        )
    ExaminedUntil.objects.begin(now - dt.timedelta(hours=10))

    all_at_once(*[examine] * 6)
    examine()

    assert AuditLog.objects.filter(event_type="new_country", user=person).count() == 1
    assert OutgoingEmail.objects.filter(kind="new_country").count() == 1
    assert AuditLog.objects.filter(event_type="many_accounts_tried").count() == 1
    assert KnownCountry.objects.filter(user=person).count() == 2


@pytest.mark.parametrize("_", range(3))
def test_an_account_that_is_erased_meanwhile_leaves_nothing(person: User, _: int) -> None:
    other = UserFactory()
    for user in (person, other):
        use(user, BERLIN, hours=9)
        use(user, LONDON, hours=1)
    now = timezone.now()
    ExaminedUntil.objects.begin(now - dt.timedelta(hours=10))
    User.objects.filter(pk=person.pk).update(deletion_requested_at=now)

    all_at_once(examine, lambda: erase(person.pk))
    examine()

    assert set(KnownCountry.objects.values_list("user_id", flat=True)) == {other.pk}
    assert not AuditLog.objects.filter(metadata__country="GB").exclude(user=other).exists()
    assert set(OutgoingEmail.objects.values_list("user_id", flat=True)) == {other.pk}
