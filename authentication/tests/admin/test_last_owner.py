"""The last superuser stays one: no form, action or deletion leaves the admin without an owner."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from authentication.exceptions import PermissionRefused
from authentication.models import User
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService
from authentication.tests.clients import sign_in
from authentication.tests.conftest import API, bearer
from authentication.tests.factories import UserFactory

from .roles import give_on_page
from .staff import ClientOf, messages_of, run_bulk, save_name

pytestmark = [pytest.mark.django_db, pytest.mark.security]

MESSAGE = "This is the only superuser. Please make someone else a superuser first."
NO_OWNER: list[dict[str, Any]] = [
    {"is_active": False},
    {"is_staff": False},
    {"is_superuser": False},
    {"deletion_requested_at": "2026-11-29T12:00:00Z"},
]


@pytest.fixture(params=NO_OWNER)
def no_owner(request: pytest.FixtureRequest, superuser: User) -> User:
    """Return an account that is nearly a superuser."""
    return UserFactory(**{"is_staff": True, "is_superuser": True, **request.param})


def privileges(user: User) -> tuple[bool, bool, bool]:
    found = User.objects.get(pk=user.pk)
    return found.is_superuser, found.is_staff, found.is_active


def test_the_service_disables_no_last_one(superuser: User, no_owner: User) -> None:
    with pytest.raises(PermissionRefused, match="only superuser"):
        AdministrationService.disable(superuser, by=ActedBy(None))

    assert privileges(superuser) == (True, True, True)


@pytest.mark.parametrize("role", ["none", "helper", "administrator", "auditor"])
def test_no_role_takes_the_rights_of_the_last_one(
    client_of: ClientOf, superuser: User, no_owner: User, role: str
) -> None:
    answer = give_on_page(client_of(superuser), superuser, role)

    assert messages_of(answer) == [MESSAGE]
    assert privileges(superuser) == (True, True, True)


def test_a_form_changes_other_things_of_the_last_one(client_of: ClientOf, superuser: User) -> None:
    assert save_name(client_of(superuser), superuser, first_name="Naomi").status_code == 302
    assert privileges(superuser) == (True, True, True)


def test_a_role_takes_the_rights_of_one_of_two(client_of: ClientOf, superuser: User) -> None:
    other = UserFactory(is_staff=True, is_superuser=True)

    give_on_page(client_of(superuser), other, "none")

    assert privileges(other) == (False, False, True)


def test_the_last_one_cannot_be_disabled(superuser_client: Client, superuser: User) -> None:
    other = UserFactory(is_staff=True, is_superuser=True)
    run_bulk(superuser_client, "disable", other)
    assert privileges(other) == (True, True, False)

    run_bulk(superuser_client, "disable", superuser)
    assert privileges(superuser) == (True, True, True)


def test_the_last_one_cannot_delete_their_account(
    api: APIClient, superuser: User, no_owner: User
) -> None:
    headers = bearer(sign_in(api, superuser)["access"])

    answer = api.post(f"{API}/account/delete/", headers=headers)

    assert (answer.status_code, answer.json()["detail"]) == (403, MESSAGE)
    UserFactory(is_staff=True, is_superuser=True)
    assert api.post(f"{API}/account/delete/", headers=headers).status_code == 200


COMMANDS: list[Callable[[str], Any]] = [
    lambda email: call_command("erase_account", email=email, reason="a letter"),
    lambda email: call_command("erase_account", email=email, reason="a letter", now=True),
    lambda email: call_command("set_role", email, "none"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_operator_cannot_take_the_last_one(
    superuser: User, command: Callable[[str], Any]
) -> None:
    with pytest.raises(CommandError, match="only superuser"):
        command(superuser.email)

    kept = {"deletion_requested_at": None, "is_superuser": True}
    assert User.objects.filter(pk=superuser.pk, **kept).exists()


def test_everyone_else_is_deleted_as_before(api: APIClient, person: User, superuser: User) -> None:
    headers = bearer(sign_in(api, person)["access"])

    assert api.post(f"{API}/account/delete/", headers=headers).status_code == 200
