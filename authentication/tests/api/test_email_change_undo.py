"""POST /api/v1/auth/account/email/undo/."""

from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, User
from authentication.tests.answers import LINK_INVALID, refusal_of
from authentication.tests.clients import (
    LOGIN,
    NEW_PASSWORD,
    NOON,
    Tokens,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, CHROME, Deliver, token_in
from authentication.tests.factories import PASSWORD, UserFactory

from .email_changes import CONFIRM, NEW, UNDO, Links, login_status, mail_to, request_change

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def assert_change_undone(
    api: APIClient, person: User, tokens: Tokens, body: dict[str, Any]
) -> None:
    old = person.email
    person.refresh_from_db()
    assert body.keys() == {"message", "reset_token"}
    assert (person.email, person.email_verified) == (old, True)
    assert (use_access(api, tokens), use_refresh(api, tokens)) == (401, 401)
    assert AuditLog.objects.get(event_type="email_change_undone").risk_level == "critical"
    chosen = {"token": body["reset_token"], "new_password": NEW_PASSWORD}
    assert api.post(f"{API}/password/reset/confirm/", chosen).status_code == 200
    assert login_status(api, old, NEW_PASSWORD) == 200


def test_the_token_cancels_a_change_that_is_not_confirmed_and_gives_a_reset_token(
    api: APIClient, person: User, signed_in: Tokens, links: Links
) -> None:
    answer = api.post(UNDO, {"token": links.undo})

    assert answer.status_code == 200
    assert refusal_of(api.post(CONFIRM, {"token": links.confirm})) == LINK_INVALID
    assert_change_undone(api, person, signed_in, answer.json())


def test_the_token_restores_the_old_address_after_the_confirmation(
    api: APIClient,
    person: User,
    signed_in: Tokens,
    links: Links,
    time_machine: TimeMachineFixture,
) -> None:
    api.post(CONFIRM, {"token": links.confirm})
    time_machine.shift(7 * 86_400 - 10)

    answer = api.post(UNDO, {"token": links.undo})

    assert answer.status_code == 200
    assert_change_undone(api, person, signed_in, answer.json())
    assert login_status(api, NEW, NEW_PASSWORD) == 401


def test_the_token_is_refused_after_seven_days(
    api: APIClient, links: Links, time_machine: TimeMachineFixture
) -> None:
    api.post(CONFIRM, {"token": links.confirm})
    time_machine.shift(7 * 86_400 + 1)

    assert refusal_of(api.post(UNDO, {"token": links.undo})) == LINK_INVALID


def test_the_token_undoes_later_changes_too_and_voids_their_undo_links(
    api: APIClient,
    person: User,
    signed_in: Tokens,
    links: Links,
    delivered: Deliver,
) -> None:
    old = person.email
    api.post(CONFIRM, {"token": links.confirm})
    request_change(api, signed_in, "third@example.net")
    mails = delivered()
    (notice,) = (mail for mail in mails if mail.to == [NEW] and "about to change" in mail.subject)
    api.post(CONFIRM, {"token": token_in(mail_to(mails, "third@example.net"))})

    answer = api.post(UNDO, {"token": links.undo})

    person.refresh_from_db()
    assert answer.status_code == 200
    assert person.email == old
    assert refusal_of(api.post(UNDO, {"token": token_in(notice)})) == LINK_INVALID


def test_the_undo_voids_links_mailed_to_the_new_address(
    api: APIClient, person: User, links: Links, delivered: Deliver
) -> None:
    api.post(CONFIRM, {"token": links.confirm})
    api.post(LOGIN, {"email": NEW, "password": PASSWORD}, headers={"User-Agent": CHROME})
    warning = next(
        mail for mail in delivered() if mail.to == [NEW] and "New sign-in" in mail.subject
    )
    api.post(UNDO, {"token": links.undo})

    answer = api.post(f"{API}/account/disown-session/", {"token": token_in(warning)})

    assert refusal_of(answer) == LINK_INVALID


def test_no_confirmation_is_mailed_once_the_hourly_notices_are_used_up(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    accomplice = UserFactory()
    for _ in range(3):
        request_change(api, signed_in, accomplice.email)
        delivered()

    request_change(api, signed_in)

    assert not [mail for mail in delivered() if mail.to == [NEW]]


def test_the_old_address_is_reserved_for_seven_days(
    api: APIClient, person: User, links: Links, delivered: Deliver
) -> None:
    old = person.email
    api.post(CONFIRM, {"token": links.confirm})

    answer = api.post(f"{API}/register/", {"email": old, "password": PASSWORD})

    assert answer.status_code == 201
    assert User.objects.count() == 1
    assert api.post(UNDO, {"token": links.undo}).status_code == 200


def test_the_old_address_is_free_after_seven_days(
    api: APIClient, person: User, links: Links, time_machine: TimeMachineFixture
) -> None:
    old = person.email
    api.post(CONFIRM, {"token": links.confirm})
    time_machine.shift(7 * 86_400 + 1)

    api.post(f"{API}/register/", {"email": old, "password": PASSWORD})

    assert User.objects.filter(email=old).exists()
