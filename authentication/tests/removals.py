"""Removals of second factors, requested and decided in the admin."""

from http import HTTPStatus
from typing import Any

from django.test import Client

from authentication.models import SecondFactorRemoval, User
from authentication.tests.admin.staff import USERS, messages_of, run_action
from authentication.tests.conftest import CHROME, Deliver, token_in
from authentication.tests.factories import UserFactory, give_factor

REMOVALS = "/admin/authentication/secondfactorremoval/"
REASON = "The phone was stolen, and the codes with it."


def admin_of(user: User) -> Client:
    """Return the browser of a member of staff who is signed in to the admin."""
    client = Client(headers={"User-Agent": CHROME}, REMOTE_ADDR="8.8.4.4")
    client.force_login(user)
    return client


def boss(**fields: Any) -> User:
    return UserFactory(is_staff=True, is_superuser=True, **fields)


def request_removal(actor: User, user: User, reason: str = REASON) -> list[str]:
    """Request a removal in the admin; return the messages or the errors that the page shows."""
    url = f"{USERS}{user.pk}/person/remove-factor/"
    answer = admin_of(actor).post(url, {"reason": reason}, follow=True)
    if answer.status_code == HTTPStatus.FORBIDDEN:
        return ["You are not allowed to do this."]
    return messages_of(answer) or [str(it) for it in answer.context["form"].errors["reason"]]


def decide(actor: User, action: str) -> list[str]:
    """Confirm or cancel the removal in the admin; return the messages that the page shows."""
    pending = SecondFactorRemoval.objects.filter(ended_at=None).first()
    removal = pending or SecondFactorRemoval.objects.latest("ended_at")
    return messages_of(run_action(admin_of(actor), action, removal, at=REMOVALS))


def has_factor(user: User) -> bool:
    return User.objects.get(pk=user.pk).second_factor_at is not None


def outcome() -> str:
    return SecondFactorRemoval.objects.latest("requested_at").outcome


def request_by_mail(staff: User, person: User, delivered: Deliver) -> str:
    """Request the removal of a new factor; return the token of the mail about it."""
    give_factor(person)
    [message_shown] = request_removal(staff, person)
    assert "waits for 24 hours" in message_shown
    (message,) = (mail for mail in delivered() if mail.to == [person.email])
    return token_in(message)
