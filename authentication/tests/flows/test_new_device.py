"""A sign-in from an unknown device: the mail about it, and the link in it."""

import uuid
from typing import Any

import pytest
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
from authentication.tests.answers import LINK_INVALID, assert_problem, refusal_of
from authentication.tests.clients import (
    NEW_PASSWORD,
    NOON,
    page_browser,
    post_as,
    sign_in,
    submit_form,
    use_access,
)
from authentication.tests.conftest import API, CHROME, Deliver, token_in
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.tests.limits import set_limits

URL = f"{API}/account/disown-session/"
PAGE = "/account/not-me/"
PHONE = {"User-Agent": AGENTS["Safari on an iPhone"].header}
LAPTOP = {"User-Agent": CHROME}

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def warnings_to(person: User) -> int:
    return OutgoingEmail.objects.filter(user=person, kind="new_device").count()


@pytest.fixture
def unknown_device(api: APIClient, person: User) -> dict[str, Any]:
    """Return the tokens of a sign-in on a phone after one on a laptop."""
    sign_in(api, person, headers=LAPTOP)
    return sign_in(api, person, headers=PHONE, device_name="Unknown phone")


class TestMail:
    def test_the_mail_names_device_time_and_address(
        self, unknown_device: Any, delivered: Deliver, settings: Settings
    ) -> None:
        (mail,) = delivered()

        text = " ".join(str(mail.body).split())
        assert mail.subject == "New sign-in to your account"
        assert 'Name given to it: "Unknown phone"' in text
        assert "Device: Safari on iPhone" in text
        assert "Time: Sunday 22 November, 12:00 (UTC)" in text
        assert "Address: 127.0.0.1" in text
        assert f"{settings.BACKEND_URL}{PAGE}?token={token_in(mail)}" in text

    def test_the_first_device_causes_no_mail(self, api: APIClient, person: User) -> None:
        sign_in(api, person, headers=PHONE)

        assert warnings_to(person) == 0

    def test_a_known_device_causes_no_mail(self, api: APIClient, person: User) -> None:
        first = sign_in(api, person, headers=PHONE)
        post_as(api, first, f"{API}/logout/")
        sign_in(api, person, headers=LAPTOP)
        sign_in(api, person, headers={**PHONE, "X-Device-Id": first["device_id"]})

        assert warnings_to(person) == 1

    def test_a_browser_update_causes_no_mail(self, api: APIClient, person: User) -> None:
        first = sign_in(api, person, headers=LAPTOP)
        updated = {"User-Agent": CHROME.replace("131.0", "132.1")}
        sign_in(api, person, headers={**updated, "X-Device-Id": first["device_id"]})

        assert warnings_to(person) == 0

    def test_a_device_known_to_another_account_causes_a_mail(
        self, api: APIClient, person: User
    ) -> None:
        sign_in(api, UserFactory(), headers=PHONE)
        sign_in(api, person, headers=LAPTOP)
        sign_in(api, person, headers=PHONE)

        assert warnings_to(person) == 1

    def test_a_password_change_causes_no_mail(self, api: APIClient, person: User) -> None:
        tokens = sign_in(api, person, headers=LAPTOP)
        change = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        answer = post_as(api, tokens, f"{API}/password/change/", change, **LAPTOP)

        assert answer.status_code == 200
        assert warnings_to(person) == 0

    def test_only_the_digest_of_the_token_is_stored(
        self, unknown_device: Any, delivered: Deliver
    ) -> None:
        token = token_in(delivered()[0])

        assert token not in str(list(ActionToken.objects.values()))
        assert token not in str(list(OutgoingEmail.objects.values()))

    def test_the_mail_is_sent_although_its_session_is_deleted(
        self, unknown_device: Any, delivered: Deliver
    ) -> None:
        UserSession.objects.all().delete()

        assert len(delivered()) == 1


class TestLink:
    def test_the_api_ends_the_session_and_offers_a_password_reset(
        self, api: APIClient, person: User, unknown_device: Any, delivered: Deliver
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
        assert use_access(api, unknown_device) == 401
        assert AuditLog.objects.get(event_type="session_disowned").user == person
        assert chosen.status_code == 200
        assert person.check_password(NEW_PASSWORD)

    def test_the_page_ends_the_session_and_opens_the_reset_form(
        self, api: APIClient, unknown_device: Any, delivered: Deliver, settings: Settings
    ) -> None:
        visitor = page_browser()

        answer = submit_form(visitor, PAGE, {"token": token_in(delivered()[0])})

        form = visitor.get(answer["Location"].removeprefix(settings.BACKEND_URL))
        assert use_access(api, unknown_device) == 401
        assert answer.status_code == 303
        assert answer["Location"].startswith(
            f"{settings.BACKEND_URL}/account/reset-password/?token="
        )
        assert "Choose a new password" in form.content.decode()

    @pytest.mark.parametrize("method", ["get", "head", "options"])
    def test_opening_the_page_changes_nothing(
        self, api: APIClient, unknown_device: Any, delivered: Deliver, method: str
    ) -> None:
        token = token_in(delivered()[0])

        answer = getattr(Client(), method)(PAGE, {"token": token})

        assert answer.status_code == 200
        assert use_access(api, unknown_device) == 200
        assert api.post(URL, {"token": token}).status_code == 200

    def test_the_link_works_once(
        self, api: APIClient, unknown_device: Any, delivered: Deliver
    ) -> None:
        token = token_in(delivered()[0])
        api.post(URL, {"token": token})
        given = PasswordResetToken.objects.count()

        again = api.post(URL, {"token": token})

        assert refusal_of(again) == LINK_INVALID
        assert PasswordResetToken.objects.count() == given
        assert Client().post(PAGE, {"token": token}).status_code == 400

    def test_the_link_works_for_a_week(
        self,
        api: APIClient,
        unknown_device: Any,
        delivered: Deliver,
        time_machine: TimeMachineFixture,
    ) -> None:
        token = token_in(delivered()[0])
        time_machine.shift(7 * 86_400 + 1)

        assert refusal_of(api.post(URL, {"token": token})) == LINK_INVALID

    def test_the_link_of_a_disabled_account_is_refused(
        self, api: APIClient, person: User, unknown_device: Any, delivered: Deliver
    ) -> None:
        token = token_in(delivered()[0])
        User.objects.filter(pk=person.pk).update(is_active=False)

        assert refusal_of(api.post(URL, {"token": token})) == LINK_INVALID

    def test_each_kind_of_token_works_only_at_its_endpoint(
        self, api: APIClient, person: User, unknown_device: Any, delivered: Deliver
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
        assert use_access(api, unknown_device) == 200

    @pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": None}, {"token": 7}])
    def test_a_body_without_a_token_is_refused(self, api: APIClient, body: dict[str, Any]) -> None:
        assert_problem(api.post(URL, body), 400, "validation_error")

    def test_guesses_are_limited(self, api: APIClient, settings: Settings) -> None:
        set_limits(settings, session_disown="1/h")

        statuses = [api.post(URL, {"token": uuid.uuid4().hex}).status_code for _ in range(2)]

        assert statuses == [400, 429]
