"""A sign-in from a device that was not seen before: the mail about it, and the link in it."""

import re
import uuid
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
    OutgoingEmail,
    PasswordResetToken,
    User,
    UserSession,
)
from authentication.tests.agents import AGENTS
from authentication.tests.answers import LINK_INVALID, refusal_of
from authentication.tests.clients import NEW_PASSWORD, NOON, sign_in, use_access
from authentication.tests.conftest import API, CHROME, token_in
from authentication.tests.factories import PASSWORD, UserFactory

URL = f"{API}/account/disown-session/"
PAGE = "/account/not-me/"
PHONE = {"User-Agent": AGENTS["Safari on an iPhone"].header}
DESK = {"User-Agent": CHROME}

Deliver = Callable[[], list[EmailMessage]]

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def warnings_to(person: User) -> int:
    return OutgoingEmail.objects.filter(user=person, kind="new_device").count()


@pytest.fixture
def strange(api: APIClient, person: User) -> dict[str, Any]:
    """Return the tokens of somebody on a phone, where the person has always used their desk."""
    sign_in(api, person, headers=DESK)
    return sign_in(api, person, headers=PHONE, device_name="A strange phone")


class TestTheMail:
    def test_it_says_when_where_and_what(
        self, strange: Any, delivered: Deliver, settings: Settings
    ) -> None:
        (mail,) = delivered()

        text = " ".join(str(mail.body).split())
        assert mail.subject == "New sign-in to your account"
        assert "Device: A strange phone" in text
        assert "Mobile Safari 18, iOS 18" in text
        assert "Time: 2026-11-22, 12:00 UTC" in text
        assert "Address: 127.0.0.1" in text
        assert f"{settings.BACKEND_URL}{PAGE}?token={token_in(mail)}" in text

    def test_nobody_is_warned_of_their_first_device(self, api: APIClient, person: User) -> None:
        sign_in(api, person, headers=PHONE)

        assert warnings_to(person) == 0

    def test_nobody_is_warned_of_a_device_they_used_before(
        self, api: APIClient, person: User
    ) -> None:
        first = sign_in(api, person, headers=PHONE)
        api.post(f"{API}/logout/", headers={"Authorization": f"Bearer {first['access']}"})
        sign_in(api, person, headers=DESK)
        sign_in(api, person, headers={**PHONE, "X-Device-Id": first["device_id"]})

        assert warnings_to(person) == 1

    def test_an_update_of_the_browser_makes_no_device_new(
        self, api: APIClient, person: User
    ) -> None:
        first = sign_in(api, person, headers=DESK)
        updated = {"User-Agent": CHROME.replace("131.0", "132.1")}
        sign_in(api, person, headers={**updated, "X-Device-Id": first["device_id"]})

        assert warnings_to(person) == 0

    def test_a_device_of_somebody_else_is_new(self, api: APIClient, person: User) -> None:
        sign_in(api, UserFactory(), headers=PHONE)
        sign_in(api, person, headers=DESK)
        sign_in(api, person, headers=PHONE)

        assert warnings_to(person) == 1

    def test_a_changed_password_warns_of_nothing(self, api: APIClient, person: User) -> None:
        tokens = sign_in(api, person, headers=DESK)
        change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        headers = {"Authorization": f"Bearer {tokens['access']}", **DESK}

        assert api.post(f"{API}/password/change/", change, headers=headers).status_code == 200
        assert warnings_to(person) == 0

    def test_only_the_digest_of_its_token_is_stored(self, strange: Any, delivered: Deliver) -> None:
        token = token_in(delivered()[0])

        assert token not in str(list(ActionToken.objects.values()))
        assert token not in str(list(OutgoingEmail.objects.values()))

    def test_a_session_that_is_gone_by_then_keeps_no_mail_back(
        self, strange: Any, delivered: Deliver
    ) -> None:
        UserSession.objects.all().delete()

        assert len(delivered()) == 1


class TestTheLink:
    def test_the_api_ends_the_session_and_lets_a_new_password_be_chosen(
        self, api: APIClient, person: User, strange: Any, delivered: Deliver
    ) -> None:
        answer = api.post(URL, {"token": token_in(delivered()[0])})

        body = answer.json()
        chosen = api.post(
            f"{API}/password/reset/confirm/",
            {"token": body["reset_token"], "new_password": NEW_PASSWORD},
        )
        person.refresh_from_db()
        assert (answer.status_code, body.keys()) == (200, {"message", "reset_token"})
        assert body["message"] == "That device is signed out. Please choose a new password now."
        assert use_access(api, strange) == 401
        assert AuditLog.objects.get(event_type="session_disowned").user == person
        assert chosen.status_code == 200
        assert person.check_password(NEW_PASSWORD)

    def test_the_page_does_the_same_and_leads_on_to_the_form(
        self, api: APIClient, strange: Any, delivered: Deliver, settings: Settings
    ) -> None:
        visitor = Client(enforce_csrf_checks=True, headers=DESK)
        page = visitor.get(PAGE, {"token": token_in(delivered()[0])})
        fields = dict(
            re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())
        )

        answer = visitor.post(PAGE, fields, headers={"Origin": "http://testserver"})

        form = visitor.get(answer["Location"].removeprefix(settings.BACKEND_URL))
        assert use_access(api, strange) == 401
        assert answer.status_code == 302
        assert answer["Location"].startswith(
            f"{settings.BACKEND_URL}/account/reset-password/?token="
        )
        assert "Choose a new password" in form.content.decode()

    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_opening_it_changes_nothing(
        self, api: APIClient, strange: Any, delivered: Deliver, method: str
    ) -> None:
        token = token_in(delivered()[0])

        answer = getattr(Client(), method)(PAGE, {"token": token})

        assert answer.status_code == 200
        assert use_access(api, strange) == 200
        assert api.post(URL, {"token": token}).status_code == 200

    def test_it_works_once(self, api: APIClient, strange: Any, delivered: Deliver) -> None:
        token = token_in(delivered()[0])
        api.post(URL, {"token": token})
        given = PasswordResetToken.objects.count()

        again = api.post(URL, {"token": token})

        assert refusal_of(again) == LINK_INVALID
        assert PasswordResetToken.objects.count() == given
        assert Client().post(PAGE, {"token": token}).status_code == 400

    def test_it_works_for_a_week(
        self, api: APIClient, strange: Any, delivered: Deliver, time_machine: TimeMachineFixture
    ) -> None:
        token = token_in(delivered()[0])
        time_machine.shift(7 * 86_400 + 1)

        assert refusal_of(api.post(URL, {"token": token})) == LINK_INVALID

    def test_of_a_disabled_account_it_does_not_work(
        self, api: APIClient, person: User, strange: Any, delivered: Deliver
    ) -> None:
        token = token_in(delivered()[0])
        User.objects.filter(pk=person.pk).update(is_active=False)

        assert refusal_of(api.post(URL, {"token": token})) == LINK_INVALID

    def test_a_token_of_another_kind_does_not_work_here_nor_this_one_elsewhere(
        self, api: APIClient, person: User, strange: Any, delivered: Deliver
    ) -> None:
        token = token_in(delivered()[0])
        reset = PasswordResetToken.objects.issue(person, at=NOON)

        elsewhere = [
            api.post(
                f"{API}/password/reset/confirm/", {"token": token, "new_password": NEW_PASSWORD}
            ),
            api.post(f"{API}/email/verify/", {"token": token}),
            api.post(f"{API}/exchange-token/", {"exchange_token": token}),
        ]

        assert [answer.status_code for answer in elsewhere] == [400, 400, 400]
        assert refusal_of(api.post(URL, {"token": reset})) == LINK_INVALID
        assert use_access(api, strange) == 200

    @pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": None}, {"token": 7}])
    def test_a_body_without_a_token_is_refused(self, api: APIClient, body: dict[str, Any]) -> None:
        answer = api.post(URL, body)

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    def test_guessing_is_limited(self, api: APIClient, settings: Settings) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "session_disown": "1/h"}

        statuses = [api.post(URL, {"token": uuid.uuid4().hex}).status_code for _ in range(2)]

        assert statuses == [400, 429]
