"""Known devices that become unknown (docs/lockout.md)."""

import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    AuditLog,
    KnownDevice,
    User,
)
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService
from authentication.services.operations import RetentionService
from authentication.tests.clients import NEW_PASSWORD, Tokens, sign_in
from authentication.tests.conftest import API, ME, Deliver, bearer
from authentication.tests.factories import PASSWORD, UserFactory

from .email_changes import UNDO, request_links
from .lockout import attempt, fail, known_device, reset

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_own_clock")]
YEAR_AND_MORE = 400 * 24 * 60 * 60


class TestBecomingUnknown:
    """Strangers have locked the name: a device that signs in all the same is a known one."""

    def is_known(self, api: APIClient, person: User, device: str, password: str) -> bool:
        fail(api, person.email, 5)
        return bool(attempt(api, person.email, password, device=device).status_code == 200)

    def sign_in_event(self, api: APIClient, tokens: Tokens) -> AuditLog:
        listed = api.get(f"{API}/sessions/", headers=bearer(tokens["access"])).json()["sessions"]
        current = next(it["id"] for it in listed if it["is_current"])
        return AuditLog.objects.get(event_type="login", metadata__session=current)

    def test_a_reset_makes_every_other_device_unknown(self, api: APIClient, person: User) -> None:
        mine, other = known_device(api, person), known_device(api, person)

        reset(api, person, mine)

        known = {it: self.is_known(api, person, it, NEW_PASSWORD) for it in (mine, other)}
        assert known == {mine: True, other: False}

    def test_a_reset_makes_a_new_device_known(self, api: APIClient, person: User) -> None:
        device = reset(api, person).json()["device_id"]

        assert self.is_known(api, person, device, NEW_PASSWORD)

    def test_a_changed_password_keeps_the_device_that_asks(
        self, api: APIClient, person: User
    ) -> None:
        mine, thief = sign_in(api, person), sign_in(api, person)
        change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}

        api.post(f"{API}/password/change/", change, headers=bearer(mine["access"]))

        ids = (mine["device_id"], thief["device_id"])
        assert [self.is_known(api, person, it, NEW_PASSWORD) for it in ids] == [True, False]

    def test_terminate_all_keeps_the_device_that_asks(self, api: APIClient, person: User) -> None:
        mine, other = sign_in(api, person), sign_in(api, person)

        api.post(f"{API}/sessions/terminate-all/", headers=bearer(mine["access"]))

        ids = (mine["device_id"], other["device_id"])
        assert [self.is_known(api, person, it, PASSWORD) for it in ids] == [True, False]

    def test_the_devices_of_others_stay_known(self, api: APIClient, person: User) -> None:
        mine, other = sign_in(api, person), UserFactory()
        theirs = known_device(api, other)

        api.post(f"{API}/sessions/terminate-all/", headers=bearer(mine["access"]))

        assert self.is_known(api, other, theirs, PASSWORD)

    def test_not_me_keeps_the_device_that_asks(self, api: APIClient, person: User) -> None:
        mine, thief = sign_in(api, person), sign_in(api, person)
        event = self.sign_in_event(api, thief)

        answer = api.post(
            f"{API}/account/activity/{event.pk}/disown/", headers=bearer(mine["access"])
        )

        ids = (mine["device_id"], thief["device_id"])
        assert answer.status_code == 200
        assert [self.is_known(api, person, it, PASSWORD) for it in ids] == [True, False]

    def test_not_me_about_the_device_that_asks_makes_it_unknown_too(
        self, api: APIClient, person: User
    ) -> None:
        mine = sign_in(api, person)
        stolen = sign_in(api, person, headers={"X-Device-Id": mine["device_id"]})
        event = self.sign_in_event(api, stolen)

        answer = api.post(
            f"{API}/account/activity/{event.pk}/disown/", headers=bearer(mine["access"])
        )

        assert answer.status_code == 200
        assert api.get(ME, headers=bearer(stolen["access"])).status_code == 401
        assert not self.is_known(api, person, mine["device_id"], PASSWORD)

    def test_an_undone_change_of_address_keeps_the_device_that_undoes_it(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        mine, thief = sign_in(api, person), sign_in(api, person)
        delivered()
        mail.outbox.clear()
        links = request_links(api, person, thief, delivered)

        answer = api.post(UNDO, {"token": links.undo}, headers={"X-Device-Id": mine["device_id"]})

        ids = (mine["device_id"], thief["device_id"])
        assert answer.status_code == 200
        assert [self.is_known(api, person, it, PASSWORD) for it in ids] == [True, False]

    def test_staff_who_end_all_sessions_make_every_device_unknown(
        self, api: APIClient, person: User
    ) -> None:
        device = known_device(api, person)

        AdministrationService.end_sessions(person, by=ActedBy(None))

        assert not self.is_known(api, person, device, PASSWORD)

    @pytest.mark.parametrize(("days", "left"), [(399, 1), (400, 0)])
    def test_a_device_that_is_not_used_is_forgotten_with_its_cookie(
        self, time_machine: TimeMachineFixture, api: APIClient, person: User, days: int, left: int
    ) -> None:
        known_device(api, person)
        time_machine.shift(dt.timedelta(days=days))

        RetentionService.clean("sessions")

        assert KnownDevice.objects.count() == left

    def test_an_account_keeps_its_fifty_newest_devices(self, api: APIClient, person: User) -> None:
        now = timezone.now()
        KnownDevice.objects.bulk_create(
            KnownDevice(user=person, digest=str(n), last_used_at=now - dt.timedelta(hours=n))
            for n in range(60)
        )

        RetentionService.clean("sessions")

        kept = set(KnownDevice.objects.values_list("digest", flat=True))
        assert kept == {str(n) for n in range(50)}
