"""What gives power over accounts asks staff for a code again, ten minutes after the last one."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from time_machine import TimeMachineFixture

from authentication.models import SecondFactorRemoval, StaffRole, User
from authentication.tests.clients import NOON
from authentication.tests.factories import PASSWORD, Factor, UserFactory, give_factor

from .roles import WHY, give_on_page, page_of, staff_with
from .staff import ClientOf, messages_of, run_action

CONFIRM = "/admin/confirm/"
GROUPS = "/admin/auth/group/"
REMOVALS = "/admin/authentication/secondfactorremoval/"
WITHIN, LATER, MUCH_LATER, AN_HOUR_LATER = (dt.timedelta(minutes=it) for it in (9, 11, 21, 75))

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]


@pytest.fixture
def factor(superuser: User) -> Factor:
    return give_factor(superuser)


@pytest.fixture
def client(client_of: ClientOf, superuser: User, factor: Factor) -> Client:
    superuser.proven_by_factor = True
    return client_of(superuser)


def confirm(client: Client, proof: str, next_url: str = "/admin/") -> Any:
    return client.post(CONFIRM, {"proof": proof, "next": next_url})


@pytest.mark.parametrize("name", ["role", "delete"])
def test_a_code_is_asked_for_and_leads_back(
    client: Client, factor: Factor, person: User, time_machine: TimeMachineFixture, name: str
) -> None:
    page = f"{page_of(person)}{name}/"
    time_machine.move_to(NOON + WITHIN)
    assert client.get(page).status_code == 200
    time_machine.move_to(NOON + LATER)
    asked = client.get(page)
    assert (asked.status_code, asked["Location"]) == (302, f"{CONFIRM}?next={page}")

    answer = confirm(client, factor.recovery_codes[0], page)

    assert (answer.status_code, answer["Location"]) == (302, page)
    assert client.get(page).status_code == 200


def test_a_form_that_was_opened_in_time_loses_nothing(
    client: Client, person: User, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(NOON + LATER)
    give_on_page(client, person, "helper")
    assert User.objects.get(pk=person.pk).is_staff

    time_machine.move_to(NOON + MUCH_LATER)
    assert give_on_page(client, person, "owner").redirect_chain[-1][0].startswith(CONFIRM)
    assert not User.objects.get(pk=person.pk).is_superuser


def test_a_wrong_code_is_told_and_counted(
    client: Client, factor: Factor, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(NOON + LATER)

    for _ in range(10):
        answer = confirm(client, "000000")
        assert answer.status_code == 200
        assert "This code is not valid." in answer.content.decode()
    answer = confirm(client, "000000").content.decode()

    assert "This code is not valid." not in answer
    assert "errorlist" in answer
    assert client.get(f"{GROUPS}add/").status_code == 302
    assert confirm(client, factor.recovery_codes[0]).status_code == 200
    time_machine.move_to(NOON + AN_HOUR_LATER)
    assert confirm(client, factor.recovery_codes[0]).status_code == 302


def test_staff_without_a_factor_give_their_password(
    client_of: ClientOf, person: User, time_machine: TimeMachineFixture
) -> None:
    staff = staff_with("administrator")
    client, page = client_of(staff), f"{page_of(person)}delete/"
    time_machine.move_to(NOON + LATER)
    assert client.get(page).status_code == 302

    assert "not your current password" in confirm(client, "wrong").content.decode()
    assert client.get(page).status_code == 302
    assert confirm(client, PASSWORD, page).status_code == 302

    assert client.get(page).status_code == 200


@pytest.mark.parametrize("page", [f"{GROUPS}add/", "change", "delete"])
def test_rights_of_groups_are_not_changed_by_an_open_browser(
    client: Client, time_machine: TimeMachineFixture, page: str
) -> None:
    group = StaffRole.objects.get(key="helper").group
    own = Group.objects.create(name="keepers")
    page = {"change": f"{GROUPS}{group.pk}/change/", "delete": f"{GROUPS}{own.pk}/delete/"}.get(
        page, page
    )
    assert client.get(page).status_code == 200
    time_machine.move_to(NOON + MUCH_LATER)

    answer = client.post(page, {"name": "Mallory", "permissions": [1], "post": "yes"})

    assert answer.status_code == 302
    assert answer["Location"].startswith(CONFIRM)
    assert {it.name for it in Group.objects.all()} >= {"Helper", "keepers"}


def test_groups_are_not_deleted_from_their_list(client: Client) -> None:
    own = Group.objects.create(name="keepers")

    client.post(GROUPS, {"action": "delete_selected", "_selected_action": [own.pk], "post": "yes"})

    assert Group.objects.filter(pk=own.pk).exists()


def test_a_removal_is_not_confirmed_from_the_list_by_an_open_browser(
    client: Client, person: User, time_machine: TimeMachineFixture
) -> None:
    give_factor(person)
    removal = SecondFactorRemoval.objects.create(
        user=person,
        factor_since=User.objects.values_list("second_factor_at").get(pk=person.pk)[0],
        reason=WHY,
        requested_by=UserFactory(is_staff=True, is_superuser=True),
        requested_at=NOON,
    )
    time_machine.move_to(NOON + MUCH_LATER)
    answer = run_action(client, "confirm", removal, at=REMOVALS)
    assert answer.redirect_chain[-1][0].startswith(CONFIRM)
    assert User.objects.get(pk=person.pk).second_factor_at

    time_machine.move_to(NOON + WITHIN)
    assert messages_of(run_action(client, "confirm", removal, at=REMOVALS))
    assert User.objects.get(pk=person.pk).second_factor_at is None


@pytest.mark.parametrize("elsewhere", ["https://example.net/", "//example.net/", "javascript:x"])
def test_it_leads_to_no_other_site(client: Client, factor: Factor, elsewhere: str) -> None:
    assert elsewhere not in client.get(CONFIRM, {"next": elsewhere}).content.decode()
    assert confirm(client, factor.recovery_codes[0], elsewhere)["Location"] == "/admin/"


def test_people_who_are_no_staff_do_not_see_it(client_of: ClientOf, person: User) -> None:
    for client in (Client(), client_of(person)):
        answer = client.get(CONFIRM)
        assert (answer.status_code, answer["Location"][:13]) == (302, "/admin/login/")
