"""/api/v1/auth/account/email/: requesting another email address."""

import datetime as dt

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import EmailChange, OutgoingEmail, User
from authentication.tests.answers import (
    LINK_INVALID,
    TOKEN_INVALID,
    assert_problem,
    invalid,
    invalid_fields,
    refusal_of,
    rows,
    unexpected,
)
from authentication.tests.clients import FOREIGN_PAGE, NOON, Tokens, sign_in
from authentication.tests.conftest import Deliver, bearer, token_in
from authentication.tests.factories import UserFactory

from .email_changes import (
    CONFIRM,
    NEW,
    URL,
    Links,
    change_state,
    login_status,
    mail_to,
    request_change,
)
from .reauthentication import REAUTHENTICATION_REQUIRED

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def test_the_new_address_gets_a_link_and_the_old_one_a_notice(
    api: APIClient,
    person: User,
    signed_in: Tokens,
    delivered: Deliver,
    settings: Settings,
) -> None:
    answer = request_change(api, signed_in)

    mails = delivered()
    confirmation, notice = mail_to(mails, NEW), mail_to(mails, person.email)
    assert answer.status_code == 200
    assert answer.json() == {
        "email": person.email,
        "pending": {"email": NEW, "requested_at": "2026-11-22T12:00:00Z"},
    }
    assert confirmation.subject == "Confirm your new email address"
    assert f"{settings.BACKEND_URL}/account/confirm-email/?token=" in str(confirmation.body)
    assert notice.subject == "Your email address is about to change"
    assert f"{settings.BACKEND_URL}/account/undo-email/?token=" in str(notice.body)
    assert NEW not in str(notice.body)
    assert person.first_name not in str(confirmation.body)


def test_without_a_recent_proof_nothing_is_told_about_an_address(
    api: APIClient,
    person: User,
    signed_in: Tokens,
    settings: Settings,
    time_machine: TimeMachineFixture,
) -> None:
    settings.PREVENT_EMAIL_ENUMERATION = False
    time_machine.shift(11 * 60)
    addresses = (NEW, person.email, UserFactory().email)

    answers = [request_change(api, signed_in, it) for it in addresses]

    assert [refusal_of(it) for it in answers] == [REAUTHENTICATION_REQUIRED] * 3
    assert not EmailChange.objects.exists()


def test_the_old_address_stays_valid_until_the_confirmation(
    api: APIClient, person: User, links: Links
) -> None:
    person.refresh_from_db()

    assert person.email != NEW
    assert (login_status(api, person.email), login_status(api, NEW)) == (200, 401)


def test_a_taken_address_gets_the_same_answer_and_its_owner_gets_a_mail(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    UserFactory(email="boaz@example.org")

    answer = request_change(api, signed_in, "Boaz@example.org")

    mails = delivered()
    assert answer.json() == {
        "email": person.email,
        "pending": {"email": "Boaz@example.org", "requested_at": "2026-11-22T12:00:00Z"},
    }
    assert mail_to(mails, "boaz@example.org").subject == "You already have an account"
    assert [mail.to for mail in mails if "token=" in str(mail.body)] == [[person.email]]


def test_a_taken_address_is_refused_where_enumeration_is_allowed(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.PREVENT_EMAIL_ENUMERATION = False
    UserFactory(email="boaz@example.org")

    answer = request_change(api, signed_in, "boaz@example.org")

    assert refusal_of(answer) == invalid(
        email=["There is already an account with this email address."]
    )
    assert not EmailChange.objects.exists()


def test_the_current_address_is_refused(api: APIClient, person: User, signed_in: Tokens) -> None:
    answer = request_change(api, signed_in, person.email)

    assert refusal_of(answer) == invalid(email=["This is your email address already."])


def test_another_spelling_of_the_current_address_is_a_change(
    api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
) -> None:
    spelled = person.email.replace("person", "Person")

    request_change(api, signed_in, spelled)
    api.post(CONFIRM, {"token": token_in(mail_to(delivered(), spelled))})

    person.refresh_from_db()
    assert person.email == spelled


def test_an_invalid_address_is_refused(
    api: APIClient, signed_in: Tokens, settings: Settings
) -> None:
    settings.RATELIMIT_ENABLE = False

    def outcome(email: str) -> set[str]:
        return invalid_fields(request_change(api, signed_in, email))

    emails = ["", "x", "a@b", f"{'a' * 250}@example.org", "rüth@example.org", "a\r\nb@example.org"]
    assert unexpected(emails, outcome, {"email"}) == {}
    assert not EmailChange.objects.exists()


def test_a_newer_request_voids_the_older_one(
    api: APIClient,
    person: User,
    signed_in: Tokens,
    links: Links,
    time_machine: TimeMachineFixture,
) -> None:
    time_machine.shift(60)
    request_change(api, signed_in, "other@example.net")

    assert refusal_of(api.post(CONFIRM, {"token": links.confirm})) == LINK_INVALID
    assert change_state(api, signed_in)["pending"]["email"] == "other@example.net"


def test_a_request_can_be_cancelled(
    api: APIClient, person: User, signed_in: Tokens, links: Links
) -> None:
    answer = api.delete(URL, headers=bearer(signed_in["access"]))

    assert (answer.status_code, answer.json()) == (
        200,
        {"email": person.email, "pending": None},
    )
    assert refusal_of(api.post(CONFIRM, {"token": links.confirm})) == LINK_INVALID


def test_a_request_cancelled_before_its_mail_was_sent_mails_nothing(
    api: APIClient, signed_in: Tokens, delivered: Deliver
) -> None:
    request_change(api, signed_in)
    api.delete(URL, headers=bearer(signed_in["access"]))

    assert delivered() == []
    assert set(OutgoingEmail.objects.values_list("status", flat=True)) == {"suppressed"}


def test_an_address_gets_at_most_three_mails_an_hour_from_all_accounts_together(
    api: APIClient, delivered: Deliver
) -> None:
    for _ in range(5):
        request_change(api, sign_in(api, UserFactory()))

    assert len([mail for mail in delivered() if mail.to == [NEW]]) == 3


@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_a_request_without_an_access_token_is_refused(api: APIClient, method: str) -> None:
    assert refusal_of(getattr(api, method)(URL)) == TOKEN_INVALID


def test_another_site_cannot_request_a_change(api: APIClient, signed_in: Tokens) -> None:
    assert_problem(request_change(api, signed_in, **FOREIGN_PAGE), 403, "csrf_failed")
    assert not EmailChange.objects.exists()


def test_the_outbox_stores_no_address_and_the_database_no_token(
    api: APIClient, links: Links, person: User
) -> None:
    kept = str(list(OutgoingEmail.objects.values()))

    assert NEW not in kept
    assert person.email not in kept
    assert not [token for token in links if token in str(rows())]
    assert EmailChange.objects.get().requested_at == dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
