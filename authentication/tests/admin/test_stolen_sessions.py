"""A thief with the cookie of a member of staff, and what it opens."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from time_machine import TimeMachineFixture

from authentication.admin.bulk_actions import bulk_url
from authentication.exceptions import PermissionRefused
from authentication.models import (
    AuditLog,
    BulkAction,
    Invitation,
    SecondFactorRemoval,
    StaffRole,
    User,
)
from authentication.services import SecondFactorRemovalService
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService
from authentication.tests.clients import NOON
from authentication.tests.commands.running import run_command
from authentication.tests.conftest import Deliver
from authentication.tests.factories import UserFactory, give_factor
from authentication.tests.invitations import invite
from authentication.tests.limits import set_limits

from .roles import WHY, give, give_on_page, page_of, staff_with
from .staff import ClientOf, messages_of, run_action, save_name

CONFIRM = "/admin/confirm/"
COOKIE = "admin_session"
HOURS = dt.timedelta(hours=1)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]


def copy_of(client: Client) -> Client:
    """Return the browser of a thief who has the cookies of another one."""
    thief = Client(REMOTE_ADDR="203.0.113.9")
    thief.cookies[COOKIE] = client.cookies[COOKIE].value
    return thief


def do(client: Client, name: str, user: User) -> Any:
    return client.post(f"{page_of(user)}{name}/", {"reason": WHY}, follow=True)


def test_a_copy_of_the_cookie_does_not_share_the_proof(
    client_of: ClientOf, superuser: User, person: User, time_machine: TimeMachineFixture
) -> None:
    factor = give_factor(superuser)
    superuser.proven_by_factor = True
    client = client_of(superuser)
    thief = copy_of(client)
    time_machine.move_to(NOON + 2 * HOURS)
    assert thief.get("/admin/").status_code == 200

    client.post(CONFIRM, {"proof": factor.recovery_codes[0]})

    assert client.get(f"{page_of(person)}role/").status_code == 200
    give_on_page(thief, person, "owner")
    assert not User.objects.get(pk=person.pk).is_staff
    assert thief.get("/admin/").status_code == 302


@pytest.mark.parametrize("by", ["thief", "colleague"])
def test_no_unlock_gives_more_tries_at_the_proof(
    client_of: ClientOf, superuser: User, time_machine: TimeMachineFixture, by: str
) -> None:
    factor = give_factor(superuser)
    superuser.proven_by_factor = True
    thief, colleague = (
        client_of(superuser),
        client_of(UserFactory(is_staff=True, is_superuser=True)),
    )
    time_machine.move_to(NOON + 2 * HOURS)

    for _ in range(10):
        thief.post(CONFIRM, {"proof": "000000"})
    answer = do(thief if by == "thief" else colleague, "unlock", superuser)

    assert messages_of(answer) == [
        "This is your own account. Another member of staff has to do this."
        if by == "thief"
        else "Unlocked."
    ]
    assert thief.post(CONFIRM, {"proof": factor.code()}).status_code == 200
    assert thief.get("/admin/auth/group/add/").status_code == 302


def test_an_account_is_unlocked_three_times_an_hour(
    client_of: ClientOf, person: User, time_machine: TimeMachineFixture
) -> None:
    client = client_of(staff_with("helper"))

    told = [messages_of(do(client, "unlock", person))[0] for _ in range(4)]

    assert told[:3] == ["Unlocked."] * 3
    assert "three times within the hour" in told[3]
    run_command("unlock_account", person.email, by="Naomi")
    time_machine.move_to(NOON + 2 * HOURS)
    assert messages_of(do(client, "unlock", person)) == ["Unlocked."]


def test_a_removal_ends_with_the_session_that_requested_it(
    client_of: ClientOf,
    superuser: User,
    person: User,
    delivered: Deliver,
    time_machine: TimeMachineFixture,
) -> None:
    give_factor(person)
    do(client_of(superuser), "remove-factor", person)
    delivered()

    run_command("revoke_sessions", superuser.email, by="Naomi")
    time_machine.move_to(NOON + 30 * HOURS)

    assert SecondFactorRemovalService.carry_out_due() == 0
    assert SecondFactorRemoval.objects.get().outcome == "cancelled"
    assert User.objects.get(pk=person.pk).second_factor_at


@pytest.mark.parametrize("name", ["remove-factor", "enable"])
def test_more_that_needs_a_recent_proof(
    client_of: ClientOf, superuser: User, person: User, time_machine: TimeMachineFixture, name: str
) -> None:
    client = client_of(superuser)
    time_machine.move_to(NOON + 2 * HOURS)

    answer = client.post(f"{page_of(person)}{name}/", {"reason": WHY})

    assert answer["Location"].startswith(CONFIRM)
    # The question is not shown before, so that nothing typed is lost.
    assert run_action(client, name, person).redirect_chain[-1][0].startswith(CONFIRM)
    started = client.post(bulk_url(BulkAction.objects.get(), "start"), {"reason": WHY})
    assert started["Location"].startswith(CONFIRM)


@pytest.mark.parametrize(
    "end",
    [
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: give(user, "helper"),
        lambda user: run_command("revoke_sessions", user.email, by="Naomi"),
        lambda user: User.objects.filter(pk=user.pk).update(deletion_requested_at=timezone.now()),
        lambda user: user.groups.get().permissions.clear(),
    ],
    ids=["disabled", "demoted", "signed out", "leaving", "without the right"],
)
def test_a_request_that_waited_is_judged_when_it_acts(person: User, end: Any) -> None:
    administrator = staff_with("administrator")
    by = ActedBy(administrator, permission="authentication.disable_user")

    end(administrator)

    with pytest.raises(PermissionRefused):
        AdministrationService.disable(person, by=by)
    assert User.objects.get(pk=person.pk).is_active


def test_the_session_ends_eight_hours_after_the_sign_in_however_used(
    client_of: ClientOf, superuser: User, time_machine: TimeMachineFixture
) -> None:
    client = client_of(superuser)
    for hours in (3, 6, 7):
        time_machine.move_to(NOON + hours * HOURS)
        session = client.session
        session["used"] = hours
        session.save()
        assert client.get("/admin/").status_code == 200

    assert client.session.get_expiry_date() == NOON + 8 * HOURS
    assert Session.objects.get().expire_date == NOON + 8 * HOURS


def test_no_message_has_a_name_or_an_address(client_of: ClientOf, superuser: User) -> None:
    person = UserFactory(first_name="Orpah", last_name="Chilion")
    invitation = invite("naomi.mara@example.org")
    Invitation.objects.filter(pk=invitation.pk).update(voided_at=NOON)
    client = client_of(superuser)
    told = [
        *messages_of(do(client, "unlock", person)),
        *messages_of(
            run_action(client, "revoke", invitation, at="/admin/authentication/invitation/")
        ),
    ]

    saved = save_name(client, person, last_name="Ephrath")
    told += messages_of(client.get(saved["Location"]))

    assert len(told) == 4
    assert not [it for it in told if person.username in it]
    assert not [it for it in told if "Orpah" in it or "mara" in it]


def test_a_deletion_by_staff_can_be_stopped_by_the_person(
    client_of: ClientOf, superuser: User, person: User
) -> None:
    client, other = client_of(superuser), UserFactory()
    do(client, "delete", person)
    assert "must be able to stop" in messages_of(do(client, "disable", person))[0]
    do(client, "disable", other)
    assert "must be able to stop" in messages_of(do(client, "delete", other))[0]

    assert User.objects.get(pk=person.pk).is_active
    assert User.objects.get(pk=other.pk).deletion_requested_at is None


def test_reasons_of_others_stay_whatever_correlation_id_a_client_sends(
    client_of: ClientOf, superuser: User, person: User
) -> None:
    from authentication.services.accounts import erase_each

    client, mule = client_of(superuser), UserFactory()
    chosen = {"X-Correlation-ID": "a" * 32}
    client.post(f"{page_of(person)}disable/", {"reason": WHY}, headers=chosen)
    question = run_action(client, "end-sessions", mule)
    client.post(question.context["urls"]["start"], {"reason": WHY}, headers=chosen)
    User.objects.filter(pk=mule.pk).update(erasure_key="k" * 32, is_active=False)

    assert erase_each([mule.pk]) == 1

    assert AuditLog.objects.get(user=person, metadata__action="disable").metadata["reason"] == WHY


def test_imports_and_exports_need_a_recent_proof(
    client_of: ClientOf, superuser: User, time_machine: TimeMachineFixture
) -> None:
    client = client_of(superuser)
    time_machine.move_to(NOON + 2 * HOURS)
    search = "/admin/authentication/auditlog/search/"

    imported = client.post("/admin/authentication/invitation/import/", {"sealed": "x"})
    assert imported["Location"].startswith(CONFIRM)
    asked = {"since": "2026-11-01", "until": "2026-11-22"}
    exported = client.post(search, {**asked, "export": "csv"})
    page = exported.content.decode()
    assert exported["Content-Type"].startswith("text/html")
    assert f'href="{CONFIRM}"' in page
    assert 'value="2026-11-01"' in page  # What was typed stays.


def test_the_history_with_its_reasons_is_for_readers_of_the_log(
    client_of: ClientOf, superuser: User, person: User
) -> None:
    do(client_of(superuser), "disable", person)
    history = f"/admin/authentication/user/{person.pk}/history/"

    assert WHY in client_of(superuser).get(history).content.decode()
    assert client_of(staff_with("helper")).get(history).status_code == 403


def test_the_number_of_proofs_is_limited(
    client_of: ClientOf, superuser: User, settings: Settings
) -> None:
    set_limits(settings, staff_proof="1/h")
    client = client_of(superuser)

    told = [client.post(CONFIRM, {"proof": "wrong"}).content.decode() for _ in range(2)]

    assert "not your current password" in told[0]
    assert "not your current password" not in told[1]


def test_a_name_that_deceives_is_refused(superuser_client: Client, person: User) -> None:
    for name in ("Ruth\u202etac", "\u200b", "x" * 151):
        assert save_name(superuser_client, person, first_name=name).status_code == 200
    assert User.objects.get(pk=person.pk).first_name == person.first_name

    assert save_name(superuser_client, person, first_name="  Orpah ").status_code == 302
    assert User.objects.get(pk=person.pk).first_name == "Orpah"


def test_the_event_of_a_group_says_which_rights(superuser_client: Client) -> None:
    helper = StaffRole.objects.get(key="helper").group
    rights = {it.codename: it.pk for it in helper.permissions.all()}
    giving = Permission.objects.get(codename="give_role")
    kept = [pk for name, pk in rights.items() if name != "unlock_user"]
    form = {"name": helper.name, "permissions": [*kept, giving.pk]}

    superuser_client.post(f"/admin/auth/group/{helper.pk}/change/", form)

    facts = AuditLog.objects.get(metadata__action="change_group")
    assert facts.risk_level == "high"
    assert facts.metadata["given"] == ["authentication.give_role"]
    assert facts.metadata["taken"] == ["authentication.unlock_user"]
