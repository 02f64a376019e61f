"""The task that looks for unusual uses: repeated, at once, interrupted, beside an erasure."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import ExaminedUntil, KnownCountry, User
from authentication.services.accounts.erasure import erase
from authentication.services.anomalies import uses
from authentication.tests.clients import NOON
from authentication.tests.factories import UserFactory
from authentication.tests.places import (
    BERLIN,
    LONDON,
    UNLISTED,
)

from .unusual import Watch, found, mailed, refresh_at, sign_in_at

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db,
    pytest.mark.time_machine(NOON, tick=False),
    pytest.mark.usefixtures("places_file"),
]


def countries() -> set[str]:
    return set(KnownCountry.objects.values_list("country", flat=True))


def test_repeated_it_reports_nothing_twice(api: APIClient, at_home: Any, watch: Watch) -> None:
    watch.wait(hours=7)
    refresh_at(api, at_home, LONDON)
    watch.examine()
    ExaminedUntil.objects.update(moment=NOON)
    watch.examine()

    assert len(found()) == len(mailed()) == 1


def test_two_workers_report_once(
    api: APIClient, at_home: Any, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.wait(hours=7)
    refresh_at(api, at_home, LONDON)
    report = uses._report

    def twice(*about: Any) -> None:
        report(*about)
        report(*about)

    monkeypatch.setattr(uses, "_report", twice)
    watch.examine()

    assert len(found()) == len(mailed()) == 1


def test_a_worker_that_dies_leaves_its_events_to_the_next(
    api: APIClient, at_home: Any, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.wait(hours=7)
    refresh_at(api, at_home, LONDON)

    def die(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(uses, "_record", die)
        with pytest.raises(SystemExit):
            watch.examine()
    assert not found()
    watch.examine()

    assert len(found()) == len(mailed()) == 1


def test_after_a_long_stop_old_uses_are_not_reported(
    api: APIClient, at_home: Any, watch: Watch
) -> None:
    watch.wait(hours=7)
    refresh_at(api, at_home, LONDON)
    watch.wait(days=3)
    watch.examine()

    assert found() == []


@pytest.mark.django_db(transaction=True)
def test_an_account_that_is_erased_meanwhile_stops_no_other(
    api: APIClient, person: User, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, gone = UserFactory(), UserFactory()
    for user in (person, gone, other):
        sign_in_at(api, user, BERLIN)
    known = KnownCountry.objects.by_user

    def erased_then(*about: Any) -> Any:
        User.objects.filter(pk=gone.pk).update(deletion_requested_at=NOON)
        erase(gone.pk)
        return known(*about)

    monkeypatch.setattr(KnownCountry.objects, "by_user", erased_then)
    watch.examine()

    assert set(KnownCountry.objects.values_list("user_id", flat=True)) == {person.pk, other.pk}


@pytest.mark.parametrize("change", [{"GEOIP_PATH": None}, {"LOCATION_DETAIL": "off"}])
def test_without_places_nothing_is_remembered(
    api: APIClient, person: User, watch: Watch, settings: Settings, change: Any
) -> None:
    for name, value in change.items():
        setattr(settings, name, value)
    sign_in_at(api, person, BERLIN)
    watch.examine()

    assert not KnownCountry.objects.exists()


def test_an_unlisted_address_says_nothing(api: APIClient, at_home: Any, watch: Watch) -> None:
    refresh_at(api, at_home, UNLISTED)
    watch.examine()

    assert (found(), countries()) == ([], {"DE"})
