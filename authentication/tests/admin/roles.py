"""Staff with roles, and what is asked of them."""

from typing import Any

from django.test import Client

from authentication.models import OutgoingEmail, User
from authentication.services.acted_by import ActedBy
from authentication.services.staff_roles import RoleService
from authentication.tests.factories import UserFactory

from .staff import USERS

WHY = "They joined the team."
BELOW_OWNER = ("helper", "administrator", "auditor")


def give(user: User, role: str, *, actor: User | None = None) -> None:
    """Give a role without a page."""
    RoleService.give(user, role, by=ActedBy(actor))


def staff_with(role: str) -> User:
    """Return a person with this role."""
    user = UserFactory()
    give(user, role)
    OutgoingEmail.objects.filter(kind="role_changed").delete()
    user.refresh_from_db()
    return user


def page_of(user: User) -> str:
    return f"{USERS}{user.pk}/person/"


def give_on_page(client: Client, user: User, role: str) -> Any:
    """Answer the question which role a person is to have."""
    return client.post(f"{page_of(user)}role/", {"role": role, "reason": WHY}, follow=True)


def actions_on(answer: Any) -> set[str]:
    """Return the names of the buttons on the page of a person."""
    return {action.name for action in answer.context["staff_actions"]}
