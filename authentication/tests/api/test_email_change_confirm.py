"""POST /api/v1/auth/account/email/confirm/."""

from typing import Any

import pytest
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, EmailChange, PasswordResetToken, User
from authentication.tests.answers import LINK_INVALID, refusal_of, rows
from authentication.tests.clients import NEW_PASSWORD, NOON, Tokens, use_access
from authentication.tests.conftest import API
from authentication.tests.factories import UserFactory

from .email_changes import CONFIRM, NEW, UNDO, Links, change_state, login_status

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def rows_without_audit() -> dict[str, list[dict[str, Any]]]:
    return {table: found for table, found in rows().items() if table != "AuditLog"}


def test_the_token_changes_the_address_of_the_account(
    api: APIClient, person: User, signed_in: Tokens, links: Links
) -> None:
    old = person.email

    answer = api.post(CONFIRM, {"token": links.confirm})

    person.refresh_from_db()
    assert answer.status_code == 200
    assert answer.json() == {"message": "Your email address was changed."}
    assert (person.email, person.email_canonical, person.email_verified) == (NEW, NEW, True)
    assert (login_status(api, NEW), login_status(api, old)) == (200, 401)
    assert use_access(api, signed_in) == 200
    assert change_state(api, signed_in) == {"email": NEW, "pending": None}
    logged = AuditLog.objects.get(event_type="email_changed")
    assert (logged.user, logged.risk_level) == (person, "high")
    assert NEW not in str(logged.metadata)


def test_the_token_works_once_within_a_day(
    api: APIClient, links: Links, time_machine: TimeMachineFixture
) -> None:
    time_machine.shift(24 * 3600 - 1)
    first, second = (api.post(CONFIRM, {"token": links.confirm}) for _ in range(2))

    assert first.status_code == 200
    assert refusal_of(second) == LINK_INVALID


def test_the_token_is_refused_after_a_day(
    api: APIClient, links: Links, time_machine: TimeMachineFixture
) -> None:
    time_machine.shift(24 * 3600 + 1)

    assert refusal_of(api.post(CONFIRM, {"token": links.confirm})) == LINK_INVALID


def test_an_address_that_another_account_took_meanwhile_is_refused(
    api: APIClient, person: User, links: Links
) -> None:
    UserFactory(email=NEW)

    assert refusal_of(api.post(CONFIRM, {"token": links.confirm})) == LINK_INVALID
    person.refresh_from_db()
    assert person.email != NEW


def test_an_address_that_its_last_owner_may_still_take_back_is_refused(
    api: APIClient, person: User, links: Links
) -> None:
    last = UserFactory(email="naomi@example.org")
    EmailChange.objects.create(
        user=last, old_email=NEW, new_email=last.email, confirmed_at=NOON, requested_at=NOON
    )

    assert refusal_of(api.post(CONFIRM, {"token": links.confirm})) == LINK_INVALID
    person.refresh_from_db()
    assert person.email != NEW


def test_the_confirmation_voids_links_mailed_to_the_old_address(
    api: APIClient, person: User, links: Links
) -> None:
    reset = PasswordResetToken.objects.issue(person, at=NOON)
    api.post(CONFIRM, {"token": links.confirm})

    answer = api.post(
        f"{API}/password/reset/confirm/", {"token": reset, "new_password": NEW_PASSWORD}
    )

    assert refusal_of(answer) == LINK_INVALID


def test_each_token_works_only_at_its_own_endpoint(api: APIClient, links: Links) -> None:
    before = rows_without_audit()

    wrong = [api.post(CONFIRM, {"token": links.undo}), api.post(UNDO, {"token": links.confirm})]

    assert [refusal_of(answer) for answer in wrong] == [LINK_INVALID] * 2
    assert rows_without_audit() == before
