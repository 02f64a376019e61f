"""/api/v1/auth/account/email/: moving an account to another address, and back."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import (
    ActionToken,
    AuditLog,
    EmailChange,
    OutgoingEmail,
    PasswordResetToken,
    User,
)
from authentication.tests.answers import LINK_INVALID, TOKEN_INVALID, invalid, refusal_of, rows
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    Tokens,
    sign_in,
    use_access,
    use_refresh,
)
from authentication.tests.conftest import API, BROWSER, CHROME, bearer, token_in
from authentication.tests.factories import PASSWORD, UserFactory

URL = f"{API}/account/email/"
CONFIRM, UNDO = f"{URL}confirm/", f"{URL}undo/"
PAGES = ("/account/confirm-email/", "/account/undo-email/")
NEW = "naomi@example.net"

Deliver = Callable[[], list[EmailMessage]]

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def ask(api: APIClient, tokens: Tokens, email: str = NEW, **headers: str) -> Any:
    return api.post(URL, {"email": email}, headers={**bearer(tokens["access"]), **headers})


def state(api: APIClient, tokens: Tokens) -> dict[str, Any]:
    body: dict[str, Any] = api.get(URL, headers=bearer(tokens["access"])).json()
    return body


def mailed(mails: list[EmailMessage], to: str) -> EmailMessage:
    (found,) = (mail for mail in mails if mail.to == [to])
    return found


@pytest.fixture
def links(api: APIClient, person: User, signed_in: Tokens, delivered: Deliver) -> tuple[str, str]:
    """Return the tokens that confirm and that undo a change the person has asked for."""
    assert ask(api, signed_in).status_code == 200
    mails = delivered()
    return token_in(mailed(mails, NEW)), token_in(mailed(mails, person.email))


class TestAsking:
    def test_the_new_address_gets_a_link_and_the_old_one_a_notice(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        delivered: Deliver,
        settings: Settings,
    ) -> None:
        answer = ask(api, signed_in)

        mails = delivered()
        wanted, notice = mailed(mails, NEW), mailed(mails, person.email)
        assert answer.status_code == 200
        assert answer.json() == {
            "email": person.email,
            "pending": {"email": NEW, "requested_at": "2026-11-22T12:00:00Z"},
        }
        assert wanted.subject == "Confirm your new email address"
        assert f"{settings.BACKEND_URL}/account/confirm-email/?token=" in str(wanted.body)
        assert notice.subject == "Your email address is about to change"
        assert f"{settings.BACKEND_URL}/account/undo-email/?token=" in str(notice.body)
        assert NEW not in str(notice.body)
        assert person.first_name not in str(wanted.body)

    def test_the_old_address_stays_in_force(
        self, api: APIClient, person: User, links: tuple[str, str]
    ) -> None:
        person.refresh_from_db()
        answers = [
            api.post(f"{API}/login/", {"email": it, "password": PASSWORD})
            for it in (person.email, NEW)
        ]

        assert person.email != NEW
        assert [answer.status_code for answer in answers] == [200, 401]

    def test_a_taken_address_gets_the_same_answer_and_its_owner_a_mail(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        UserFactory(email="boaz@example.org")

        answer = ask(api, signed_in, "Boaz@example.org")

        mails = delivered()
        assert answer.json() == {
            "email": person.email,
            "pending": {"email": "Boaz@example.org", "requested_at": "2026-11-22T12:00:00Z"},
        }
        assert mailed(mails, "boaz@example.org").subject == "You already have an account"
        assert not ActionToken.objects.filter(action="confirm_email").exists()

    def test_where_the_settings_say_so_a_taken_address_is_refused(
        self, api: APIClient, signed_in: Tokens, settings: Settings
    ) -> None:
        settings.PREVENT_EMAIL_ENUMERATION = False
        UserFactory(email="boaz@example.org")

        answer = ask(api, signed_in, "boaz@example.org")

        assert refusal_of(answer) == invalid(
            email=["There is already an account with this email address."]
        )
        assert not EmailChange.objects.exists()

    def test_ones_own_address_is_refused(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        answer = ask(api, signed_in, person.email)

        assert refusal_of(answer) == invalid(email=["This is your email address already."])

    def test_another_spelling_of_ones_own_address_is_a_change(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        spelled = person.email.replace("person", "Person")

        ask(api, signed_in, spelled)
        api.post(CONFIRM, {"token": token_in(mailed(delivered(), spelled))})

        person.refresh_from_db()
        assert person.email == spelled

    @pytest.mark.parametrize(
        "email",
        ["", "x", "a@b", f"{'a' * 250}@example.org", "rüth@example.org", "a\r\nb@example.org"],
    )
    def test_what_is_no_address_is_refused(
        self, api: APIClient, signed_in: Tokens, email: str
    ) -> None:
        answer = ask(api, signed_in, email)

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert not EmailChange.objects.exists()

    def test_a_newer_wish_voids_the_older(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        links: tuple[str, str],
        time_machine: TimeMachineFixture,
    ) -> None:
        time_machine.shift(60)
        ask(api, signed_in, "other@example.net")

        assert refusal_of(api.post(CONFIRM, {"token": links[0]})) == LINK_INVALID
        assert state(api, signed_in)["pending"]["email"] == "other@example.net"

    def test_a_wish_can_be_given_up(
        self, api: APIClient, person: User, signed_in: Tokens, links: tuple[str, str]
    ) -> None:
        answer = api.delete(URL, headers=bearer(signed_in["access"]))

        assert (answer.status_code, answer.json()) == (
            200,
            {"email": person.email, "pending": None},
        )
        assert refusal_of(api.post(CONFIRM, {"token": links[0]})) == LINK_INVALID

    def test_a_wish_given_up_before_the_mail_went_sends_none(
        self, api: APIClient, signed_in: Tokens, delivered: Deliver
    ) -> None:
        ask(api, signed_in)
        api.delete(URL, headers=bearer(signed_in["access"]))

        assert delivered() == []
        assert set(OutgoingEmail.objects.values_list("status", flat=True)) == {"suppressed"}

    def test_a_stranger_is_pestered_three_times_an_hour_whoever_asks(
        self, api: APIClient, delivered: Deliver
    ) -> None:
        for _ in range(5):
            ask(api, sign_in(api, UserFactory()))

        assert len([mail for mail in delivered() if mail.to == [NEW]]) == 3

    @pytest.mark.parametrize("method", ["get", "post", "delete"])
    def test_only_who_is_signed_in_may_ask(self, api: APIClient, method: str) -> None:
        assert refusal_of(getattr(api, method)(URL)) == TOKEN_INVALID

    def test_another_site_cannot_ask(self, api: APIClient, signed_in: Tokens) -> None:
        foreign = {**BROWSER, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

        assert ask(api, signed_in, **foreign).json()["code"] == "csrf_failed"
        assert not EmailChange.objects.exists()


class TestConfirming:
    def test_it_makes_the_new_address_the_accounts(
        self, api: APIClient, person: User, signed_in: Tokens, links: tuple[str, str]
    ) -> None:
        old = person.email

        answer = api.post(CONFIRM, {"token": links[0]})

        person.refresh_from_db()
        signed = [
            api.post(f"{API}/login/", {"email": it, "password": PASSWORD}).status_code
            for it in (NEW, old)
        ]
        assert (answer.status_code, answer.json()) == (
            200,
            {"message": "Your email address was changed."},
        )
        assert (person.email, person.email_canonical, person.email_verified) == (NEW, NEW, True)
        assert signed == [200, 401]
        assert use_access(api, signed_in) == 200
        assert state(api, signed_in) == {"email": NEW, "pending": None}
        told = AuditLog.objects.get(event_type="email_changed")
        assert (told.user, told.risk_level) == (person, "high")
        assert NEW not in str(told.metadata)

    def test_it_works_once_and_for_a_day(
        self, api: APIClient, links: tuple[str, str], time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(24 * 3600 - 1)
        first, second = (api.post(CONFIRM, {"token": links[0]}) for _ in range(2))

        assert first.status_code == 200
        assert refusal_of(second) == LINK_INVALID

    def test_after_a_day_it_does_not(
        self, api: APIClient, links: tuple[str, str], time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(24 * 3600 + 1)

        assert refusal_of(api.post(CONFIRM, {"token": links[0]})) == LINK_INVALID

    def test_an_address_taken_meanwhile_is_refused(
        self, api: APIClient, person: User, links: tuple[str, str]
    ) -> None:
        UserFactory(email=NEW)

        assert refusal_of(api.post(CONFIRM, {"token": links[0]})) == LINK_INVALID
        person.refresh_from_db()
        assert person.email != NEW

    def test_one_whose_last_owner_may_still_take_it_back_is_refused(
        self, api: APIClient, person: User, links: tuple[str, str]
    ) -> None:
        last = UserFactory(email="naomi@example.org")
        EmailChange.objects.create(
            user=last, old_email=NEW, new_email=last.email, confirmed_at=NOON, requested_at=NOON
        )

        assert refusal_of(api.post(CONFIRM, {"token": links[0]})) == LINK_INVALID
        person.refresh_from_db()
        assert person.email != NEW

    def test_links_sent_to_the_old_address_before_are_void(
        self, api: APIClient, person: User, links: tuple[str, str]
    ) -> None:
        reset = PasswordResetToken.objects.issue(person, at=NOON)
        api.post(CONFIRM, {"token": links[0]})

        answer = api.post(
            f"{API}/password/reset/confirm/", {"token": reset, "new_password": NEW_PASSWORD}
        )

        assert refusal_of(answer) == LINK_INVALID

    def test_each_token_does_its_own_thing_alone(
        self, api: APIClient, links: tuple[str, str]
    ) -> None:
        before = {name: found for name, found in rows().items() if name != "AuditLog"}

        wrong = [api.post(CONFIRM, {"token": links[1]}), api.post(UNDO, {"token": links[0]})]

        assert [refusal_of(answer) for answer in wrong] == [LINK_INVALID] * 2
        assert {name: found for name, found in rows().items() if name != "AuditLog"} == before


class TestUndoing:
    def test_before_it_is_confirmed_it_keeps_the_old_address_and_asks_for_a_new_password(
        self, api: APIClient, person: User, signed_in: Tokens, links: tuple[str, str]
    ) -> None:
        answer = api.post(UNDO, {"token": links[1]})

        assert answer.status_code == 200
        assert refusal_of(api.post(CONFIRM, {"token": links[0]})) == LINK_INVALID
        self.assert_taken_back(api, person, signed_in, answer.json())

    def test_after_it_is_confirmed_it_brings_the_old_address_back(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        links: tuple[str, str],
        time_machine: TimeMachineFixture,
    ) -> None:
        api.post(CONFIRM, {"token": links[0]})
        time_machine.shift(7 * 86_400 - 10)

        answer = api.post(UNDO, {"token": links[1]})

        assert answer.status_code == 200
        self.assert_taken_back(api, person, signed_in, answer.json())
        assert (
            api.post(f"{API}/login/", {"email": NEW, "password": NEW_PASSWORD}).status_code == 401
        )

    @staticmethod
    def assert_taken_back(
        api: APIClient, person: User, thief: Tokens, body: dict[str, Any]
    ) -> None:
        old = person.email
        person.refresh_from_db()
        assert body.keys() == {"message", "reset_token"}
        assert (person.email, person.email_verified) == (old, True)
        assert (use_access(api, thief), use_refresh(api, thief)) == (401, 401)
        assert AuditLog.objects.get(event_type="email_change_undone").risk_level == "critical"
        chosen = {"token": body["reset_token"], "new_password": NEW_PASSWORD}
        assert api.post(f"{API}/password/reset/confirm/", chosen).status_code == 200
        assert (
            api.post(f"{API}/login/", {"email": old, "password": NEW_PASSWORD}).status_code == 200
        )

    def test_after_seven_days_it_does_not_work(
        self, api: APIClient, links: tuple[str, str], time_machine: TimeMachineFixture
    ) -> None:
        api.post(CONFIRM, {"token": links[0]})
        time_machine.shift(7 * 86_400 + 1)

        assert refusal_of(api.post(UNDO, {"token": links[1]})) == LINK_INVALID

    def test_a_thief_who_moves_on_is_undone_too_and_cannot_undo_that(
        self,
        api: APIClient,
        person: User,
        signed_in: Tokens,
        links: tuple[str, str],
        delivered: Deliver,
    ) -> None:
        old = person.email
        api.post(CONFIRM, {"token": links[0]})
        ask(api, signed_in, "third@example.net")
        mails = delivered()
        thiefs = [mail for mail in mails if mail.to == [NEW] and "about to change" in mail.subject]
        api.post(CONFIRM, {"token": token_in(mailed(mails, "third@example.net"))})

        answer = api.post(UNDO, {"token": links[1]})

        person.refresh_from_db()
        assert answer.status_code == 200
        assert person.email == old
        assert refusal_of(api.post(UNDO, {"token": token_in(thiefs[0])})) == LINK_INVALID

    def test_what_was_mailed_to_a_thief_meanwhile_is_void_too(
        self, api: APIClient, person: User, links: tuple[str, str], delivered: Deliver
    ) -> None:
        api.post(CONFIRM, {"token": links[0]})
        api.post(
            f"{API}/login/", {"email": NEW, "password": PASSWORD}, headers={"User-Agent": CHROME}
        )
        warning = next(
            mail for mail in delivered() if mail.to == [NEW] and "New sign-in" in mail.subject
        )
        api.post(UNDO, {"token": links[1]})

        answer = api.post(f"{API}/account/disown-session/", {"token": token_in(warning)})

        assert refusal_of(answer) == LINK_INVALID

    def test_a_thief_cannot_use_up_the_notices_first(
        self, api: APIClient, person: User, signed_in: Tokens, delivered: Deliver
    ) -> None:
        accomplice = UserFactory()
        for _ in range(3):
            ask(api, signed_in, accomplice.email)
            delivered()

        ask(api, signed_in)

        assert not [mail for mail in delivered() if mail.to == [NEW]]

    def test_nobody_else_gets_the_old_address_meanwhile(
        self, api: APIClient, person: User, links: tuple[str, str], delivered: Deliver
    ) -> None:
        old = person.email
        api.post(CONFIRM, {"token": links[0]})

        answer = api.post(f"{API}/register/", {"email": old, "password": PASSWORD})

        assert answer.status_code == 201
        assert User.objects.count() == 1
        assert api.post(UNDO, {"token": links[1]}).status_code == 200

    def test_after_seven_days_the_old_address_is_anybodys(
        self, api: APIClient, person: User, links: tuple[str, str], time_machine: TimeMachineFixture
    ) -> None:
        old = person.email
        api.post(CONFIRM, {"token": links[0]})
        time_machine.shift(7 * 86_400 + 1)

        api.post(f"{API}/register/", {"email": old, "password": PASSWORD})

        assert User.objects.filter(email=old).exists()


class TestThePages:
    @pytest.mark.parametrize("which", [0, 1], ids=["confirm", "undo"])
    def test_opening_one_changes_nothing(self, links: tuple[str, str], which: int) -> None:
        before = rows()

        for method in ("get", "head", "options"):
            page = getattr(Client(), method)(
                ("/account/confirm-email/", "/account/undo-email/")[which], {"token": links[which]}
            )
            assert page.status_code == 200

        assert rows() == before

    @pytest.mark.parametrize("which", [0, 1], ids=["confirm", "undo"])
    def test_its_button_does_what_the_mail_says(
        self, person: User, links: tuple[str, str], settings: Settings, which: int
    ) -> None:
        url, old = PAGES[which], person.email
        visitor = Client(enforce_csrf_checks=True, headers={"User-Agent": CHROME})
        page = visitor.get(url, {"token": links[which]}).content.decode()
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))

        answer = visitor.post(url, fields, headers={"Origin": "http://testserver"})

        person.refresh_from_db()
        assert (answer.status_code, person.email) == ((200, NEW), (302, old))[which]
        assert answer.get("Location", settings.PASSWORD_RESET_URL).startswith(
            settings.PASSWORD_RESET_URL.partition("{")[0]
        )
        assert visitor.post(url, fields, headers={"Origin": "http://testserver"}).status_code == 400


def test_what_a_person_held_before_shows_in_no_row_of_the_outbox(
    api: APIClient, links: tuple[str, str], person: User
) -> None:
    kept = str(list(OutgoingEmail.objects.values()))

    assert NEW not in kept
    assert person.email not in kept
    assert not [token for token in links if token in str(rows())]
    assert EmailChange.objects.get().requested_at == dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
