"""Unsubscribing from notices, in the mail, on the page and in the account."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import AuditLog, OutgoingEmail, User
from authentication.services.mail.message import NOTICES
from authentication.services.mail.unsubscribe import read_unsubscribe_token, unsubscribe_token
from authentication.tests.clients import NOON, Tokens, hidden_fields, page_browser
from authentication.tests.conftest import API, Deliver, bearer
from authentication.tests.factories import UserFactory
from authentication.tests.limits import set_limits
from authentication.utils.crypto import digest

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


PAGE = "/account/unsubscribe/"
NOTICES_URL = f"{API}/account/notices/"


ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def token_for(user: User) -> str:
    return unsubscribe_token(user.pk, user.email)


class TestUnsubscribe:
    @pytest.mark.parametrize("kind", ["new_device", "password_reset"])
    def test_notices_offer_one_click_unsubscribe(
        self, person: User, delivered: Deliver, settings: Settings, kind: str
    ) -> None:
        OutgoingEmail.objects.create(user=person, kind=kind)

        headers = delivered()[0].extra_headers

        offered = "List-Unsubscribe" in headers
        assert offered == (kind in NOTICES)
        if offered:
            assert headers["List-Unsubscribe"].startswith(f"<{settings.BACKEND_URL}{PAGE}?token=")
            assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_a_mail_program_unsubscribes_without_the_page(self, person: User) -> None:
        visitor = page_browser()

        answer = visitor.post(
            f"{PAGE}?token={token_for(person)}",
            {"List-Unsubscribe": "One-Click"},
        )

        person.refresh_from_db()
        assert answer.status_code == 200
        assert person.notices_stopped_at == NOON
        assert AuditLog.objects.get().event_type == "notices_changed"

    def test_the_page_unsubscribes_by_a_button(self, person: User) -> None:
        visitor = page_browser()
        fields = hidden_fields(visitor.get(PAGE, {"token": token_for(person)}))
        person.refresh_from_db()
        assert person.notices_stopped_at is None

        answer = visitor.post(PAGE, {"token": fields["token"]})

        assert answer.status_code == 303
        page = visitor.get(answer["Location"])
        assert "<h1>No more notices</h1>" in page.content.decode()
        assert visitor.post(PAGE, {"token": fields["token"]}).status_code == 303
        person.refresh_from_db()
        assert person.notices_stopped_at == NOON

    def test_too_many_attempts_get_a_429_page(self, person: User, settings: Settings) -> None:
        set_limits(settings, notices="1/h")
        Client().post(PAGE, {"token": token_for(person)})
        User.objects.update(notices_stopped_at=None)

        answer = Client().post(PAGE, {"token": token_for(person)})

        assert answer.status_code == 429
        assert "<h1>Please try again later</h1>" in answer.content.decode()
        assert not User.objects.exclude(notices_stopped_at=None).exists()

    @pytest.mark.parametrize("token", ["", "x", "x:y:z", unsubscribe_token.__doc__ or ""])
    def test_an_invalid_token_does_nothing(self, person: User, token: str) -> None:
        assert Client().post(PAGE, {"token": token}).status_code == 400
        assert not User.objects.exclude(notices_stopped_at=None).exists()

    def test_valid_links_are_limited_each_by_itself(self, settings: Settings) -> None:
        set_limits(settings, notices="1/h")
        people = [UserFactory() for _ in range(3)]
        links = [f"{PAGE}?token={token_for(it)}" for it in people]

        first, again = (
            [Client().post(link, ONE_CLICK).status_code for link in links] for _ in range(2)
        )

        assert (first, again) == ([200] * 3, [429] * 3)
        assert not User.objects.filter(notices_stopped_at=None).exists()

    def test_invalid_links_are_limited_by_address(self, settings: Settings) -> None:
        set_limits(settings, notices="1/h")

        first, second = (Client().post(PAGE, {"token": token}) for token in ("x", "y"))

        assert (first.status_code, second.status_code) == (400, 429)
        assert int(second["Retry-After"]) > 0

    def test_the_account_turns_notices_off_and_on(
        self, api: APIClient, person: User, signed_in: Tokens
    ) -> None:
        headers = bearer(signed_in["access"])
        answers = [
            api.put(NOTICES_URL, {"notices": wanted}, headers=headers).json()
            for wanted in (False, True)
        ]

        assert answers == [{"notices": False}, {"notices": True}]
        assert api.get(NOTICES_URL, headers=headers).json() == {"notices": True}
        assert AuditLog.objects.filter(event_type="notices_changed").count() == 2

    @pytest.mark.parametrize("body", [{}, {"notices": None}, {"notices": "yes"}, {"notices": 1}])
    def test_other_bodies_are_refused(
        self, api: APIClient, signed_in: Tokens, body: dict[str, Any]
    ) -> None:
        answer = api.put(NOTICES_URL, body, headers=bearer(signed_in["access"]))

        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


def test_a_link_tells_no_guess_of_its_address_and_outlives_a_rotation_of_the_key(
    person: User, settings: Settings
) -> None:
    token = unsubscribe_token(person.pk, person.email)
    mailed = read_unsubscribe_token(token)

    assert digest(person.email_canonical) != mailed.address
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-for-this-test-alone"
    assert read_unsubscribe_token(token).is_for(person.email_canonical)
    assert not mailed.is_for("another@example.org")
