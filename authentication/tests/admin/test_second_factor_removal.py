"""Staff request, confirm and cancel the removal of a second factor."""

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, SecondFactorRemoval, User
from authentication.services import SecondFactorRemovalService
from authentication.tests.admin.staff import (
    assert_audited,
)
from authentication.tests.clients import (
    NOON,
)
from authentication.tests.commands.running import run_command
from authentication.tests.conftest import API, Deliver
from authentication.tests.factories import UserFactory, give_factor
from authentication.tests.removals import (
    REASON,
    boss,
    decide,
    has_factor,
    outcome,
    request_by_mail,
    request_removal,
)

STOP = f"{API}/2fa/removal/stop/"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]


@pytest.fixture
def staff(db: None) -> User:
    return boss(email="boss@example.org")


@pytest.fixture
def requested(staff: User, person: User, delivered: Deliver) -> str:
    """Request the removal of the person's factor; return the token of the mail."""
    return request_by_mail(staff, person, delivered)


class TestRequest:
    def test_it_is_audited_with_reason_and_actor_and_mailed(
        self, requested: str, staff: User, person: User
    ) -> None:
        assert_audited(
            "second_factor_removal_requested",
            actor=staff,
            target=person,
            reason=REASON,
            risk="high",
        )
        assert OutgoingEmail.objects.get(user=person).kind == "second_factor_removal"
        assert has_factor(person)

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "a\u202eb"], ids=ascii)
    def test_without_a_proper_reason_it_is_refused(
        self, staff: User, person: User, reason: str
    ) -> None:
        give_factor(person)

        shown = request_removal(staff, person, reason)

        assert re.search("reason of at most|required|at most 200 characters", shown[0])
        assert not SecondFactorRemoval.objects.exists()
        assert not OutgoingEmail.objects.exists()

    def test_the_own_factor_cannot_be_removed(self, staff: User) -> None:
        give_factor(staff)

        assert "your own account" in request_removal(User.objects.get(pk=staff.pk), staff)[0]
        assert not SecondFactorRemoval.objects.exists()

    @pytest.mark.parametrize(
        ("state", "why"),
        [
            ({"second_factor_at": None}, "Two-step sign-in is off"),
            ({"is_active": False}, "disabled"),
        ],
    )
    def test_an_account_that_has_no_factor_or_gets_no_mail_is_refused(
        self, staff: User, person: User, state: dict[str, Any], why: str
    ) -> None:
        give_factor(person)
        User.objects.filter(pk=person.pk).update(**state)

        assert why in request_removal(staff, person)[0]
        assert not SecondFactorRemoval.objects.exists()

    def test_staff_below_a_superuser_and_staff_without_permission_are_refused(
        self, staff: User, person: User
    ) -> None:
        give_factor(staff)
        give_factor(person)
        editor, viewer = UserFactory(is_staff=True), UserFactory(is_staff=True)
        names = ["view_user", "change_user"]
        editor.user_permissions.set(Permission.objects.filter(codename__in=names))
        viewer.user_permissions.set(Permission.objects.filter(codename="view_user"))

        assert "not allowed" in request_removal(editor, staff)[0]
        request_removal(viewer, person)

        assert not SecondFactorRemoval.objects.exists()

    def test_a_second_request_and_a_fourth_mail_within_the_hour_are_refused(
        self, requested: str, staff: User, person: User, delivered: Deliver
    ) -> None:
        assert "pending already" in request_removal(staff, person)[0]
        for _ in range(2):
            decide(staff, "cancel")
            request_removal(staff, person)
            delivered()
        decide(staff, "cancel")

        assert "too often" in request_removal(staff, person)[0]
        assert not SecondFactorRemoval.objects.filter(ended_at=None).exists()


class TestSecondMemberOfStaff:
    def test_a_second_member_of_staff_removes_it_at_once(
        self, requested: str, person: User
    ) -> None:
        second = boss()

        assert decide(second, "confirm") == ["Done for 1 removal."]

        assert (has_factor(person), outcome()) == (False, "carried_out")
        assert SecondFactorRemoval.objects.get().confirmed_by == second
        assert_audited("second_factor_disabled", actor=second, target=person, change="removed")

    def test_the_member_who_requested_it_cannot_confirm_it(
        self, requested: str, staff: User, person: User
    ) -> None:
        assert "A second member of staff" in decide(staff, "confirm")[0]
        assert (has_factor(person), outcome()) == (True, "")

    def test_the_user_cannot_confirm_it(self, requested: str, person: User) -> None:
        User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)

        assert "your own account" in decide(User.objects.get(pk=person.pk), "confirm")[0]
        assert has_factor(person)

    @pytest.mark.parametrize("who", ["staff", "second"])
    def test_staff_can_cancel_it(
        self, requested: str, staff: User, person: User, api: APIClient, who: str
    ) -> None:
        actor = staff if who == "staff" else boss()

        decide(actor, "cancel")

        assert (has_factor(person), outcome()) == (True, "cancelled")
        assert_audited("second_factor_removal_cancelled", actor=actor, target=person)
        assert "over already" in decide(boss(), "confirm")[0]
        assert api.post(STOP, {"token": requested}).status_code == 400


class TestCommand:
    def test_it_requests_and_cancels_as_a_member_of_staff(self, staff: User, person: User) -> None:
        give_factor(person)

        written = run_command(
            "remove_second_factor", person.email, staff=staff.email, reason=REASON
        )
        removal = SecondFactorRemoval.objects.get()
        assert written == f"Due at {NOON + dt.timedelta(days=1):%Y-%m-%d %H:%M} UTC.\n"
        assert (removal.requested_by, removal.reason) == (staff, REASON)

        run_command("remove_second_factor", person.email, staff=staff.email, cancel=True)
        assert outcome() == "cancelled"

    @pytest.mark.parametrize("ending", ["requested", "cancelled"])
    def test_the_events_name_the_member_of_staff_and_who_ran_it(
        self, staff: User, person: User, ending: str
    ) -> None:
        give_factor(person)
        run = {"staff": staff.email, "by": "Naomi"}

        run_command("remove_second_factor", person.email, reason=REASON, **run)
        run_command("remove_second_factor", person.email, cancel=True, **run)

        event = AuditLog.objects.get(event_type=f"second_factor_removal_{ending}")
        assert event.metadata["actor"] == str(staff.pk)
        assert event.metadata["operator"] == "Naomi"

    def test_it_refuses_people_who_are_not_staff_and_a_missing_reason(
        self, staff: User, person: User
    ) -> None:
        give_factor(person)

        for actor, reason in ((UserFactory(), REASON), (staff, "")):
            with pytest.raises(CommandError):
                run_command("remove_second_factor", person.email, staff=actor.email, reason=reason)
        assert SecondFactorRemovalService.pending(person) is None


@pytest.mark.parametrize(
    "fall", [{"is_active": False}, {"is_staff": False}, {"is_superuser": False}], ids=str
)
def test_a_removal_ends_with_the_rights_of_the_member_who_requested_it(
    requested: str,
    staff: User,
    person: User,
    time_machine: TimeMachineFixture,
    fall: dict[str, bool],
) -> None:
    User.objects.filter(pk=staff.pk).update(**fall)
    time_machine.shift(25 * 3600)

    assert SecondFactorRemovalService.carry_out_due() == 0

    assert (has_factor(person), outcome()) == (True, "cancelled")


def test_a_removal_ends_when_the_account_gets_more_rights_than_who_requested_it(
    requested: str, staff: User, person: User, time_machine: TimeMachineFixture
) -> None:
    User.objects.filter(pk=staff.pk).update(is_superuser=False)
    permission = Permission.objects.get(codename="change_user")
    User.objects.get(pk=staff.pk).user_permissions.add(permission)
    User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)
    time_machine.shift(25 * 3600)

    assert SecondFactorRemovalService.carry_out_due() == 0
    assert has_factor(person)
