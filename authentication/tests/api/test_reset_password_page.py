"""/account/reset-password/: the page of the mailed link where no front end is configured."""

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.exceptions import ServiceUnavailable
from authentication.models import AuditLog, OutgoingEmail, PasswordResetToken, User, UserSession
from authentication.services.passwords import hashers
from authentication.tests.answers import rows
from authentication.tests.clients import NEW_PASSWORD, Tokens, submit_form, use_access, use_refresh
from authentication.tests.factories import PASSWORD

from .passwords import confirm_reset

URL = "/account/reset-password/"
TYPED = {"new_password": NEW_PASSWORD, "new_password_confirm": NEW_PASSWORD}

pytestmark = pytest.mark.django_db


def submit(visitor: Client, reset_token: str, **typed: str) -> Any:
    """Open the page and send its form, as a browser does."""
    return submit_form(visitor, URL, {"token": reset_token}, **typed)


def heading(answer: Any) -> str:
    found = re.search(r"<h1>(.*?)</h1>", answer.content.decode())
    assert found
    return found.group(1)


def shown_errors(answer: Any) -> list[str]:
    return [html.unescape(it) for it in re.findall(r"<li>(.*?)</li>", answer.content.decode())]


def test_the_form_resets_like_the_api(
    visitor: Client, api: APIClient, person: User, signed_in: Tokens, reset_token: str
) -> None:
    person.lock_account()

    answer = submit(visitor, reset_token, **TYPED)

    person.refresh_from_db()
    assert (answer.status_code, heading(answer)) == (200, "Your password was changed")
    assert person.check_password(NEW_PASSWORD)
    assert person.locked_until is None
    assert (use_access(api, signed_in), use_refresh(api, signed_in)) == (401, 401)
    assert OutgoingEmail.objects.get().kind == "password_changed"
    assert AuditLog.objects.get(event_type="password_reset").user == person


def test_the_form_starts_no_session(visitor: Client, reset_token: str) -> None:
    answer = submit(visitor, reset_token, **TYPED)

    assert set(visitor.cookies) == {"csrftoken", "device"}
    assert "refresh_token" not in answer.cookies
    assert "<form" not in answer.content.decode()
    assert not UserSession.objects.exists()


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_opening_the_page_does_not_use_the_token(
    visitor: Client, reset_token: str, method: str
) -> None:
    before = rows(), PasswordResetToken.objects.values().get()

    answers = [getattr(visitor, method)(URL, {"token": reset_token}).status_code for _ in range(3)]

    assert answers == [200] * 3
    assert (rows(), PasswordResetToken.objects.values().get()) == before
    assert submit(visitor, reset_token, **TYPED).status_code == 200


def test_a_post_without_djangos_csrf_token_changes_nothing(
    visitor: Client, reset_token: str
) -> None:
    before = rows(), PasswordResetToken.objects.values().get()

    for proof in ({}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://testserver"}):
        answer = visitor.post(URL, {"token": reset_token, **TYPED}, headers=proof)

        assert answer.status_code == 403
    assert (rows(), PasswordResetToken.objects.values().get()) == before


@pytest.mark.parametrize(
    ("typed", "complaints"),
    [
        (
            {"new_password": "weak1", "new_password_confirm": "weak1"},
            ["too short", "an uppercase letter"],
        ),
        ({**TYPED, "new_password_confirm": PASSWORD}, ["The two passwords are not the same."]),
        ({"new_password": PASSWORD, "new_password_confirm": PASSWORD}, ["one of your last 5"]),
        ({"new_password": "x" * 129, "new_password_confirm": "x" * 129}, ["no more than 128"]),
        ({}, ["This field is required."]),
    ],
    ids=["weak", "mismatch", "reused", "too long", "missing"],
)
def test_an_error_is_shown_and_can_be_corrected(
    visitor: Client, person: User, reset_token: str, typed: dict[str, str], complaints: list[str]
) -> None:
    answer = submit(visitor, reset_token, **typed)

    shown = " ".join(shown_errors(answer))
    stored = person.password
    person.refresh_from_db()
    assert (answer.status_code, heading(answer)) == (400, "Choose a new password")
    assert all(complaint in shown for complaint in complaints), shown
    assert person.password == stored
    assert not OutgoingEmail.objects.exists()
    assert submit(visitor, reset_token, **TYPED).status_code == 200


def test_a_used_link_is_refused(
    visitor: Client, person: User, reset_token: str, time_machine: TimeMachineFixture
) -> None:
    submit(visitor, reset_token, **TYPED)
    time_machine.move_to(timezone.now() + dt.timedelta(seconds=11))

    answer = submit(
        visitor, reset_token, new_password="Third-Horse-33", new_password_confirm="Third-Horse-33"
    )

    person.refresh_from_db()
    assert (answer.status_code, heading(answer)) == (400, "This link no longer works")
    assert reset_token not in answer.content.decode()
    assert person.check_password(NEW_PASSWORD)
    assert AuditLog.objects.filter(event_type="password_reset_failed").count() == 1


def test_an_overloaded_service_is_a_503_with_retry_after(
    visitor: Client, person: User, reset_token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ServiceUnavailable(retry_after=2)

    monkeypatch.setattr(hashers.ServiceArgon2Hasher, "encode", refuse)

    answer = submit(visitor, reset_token, **TYPED)

    assert (answer.status_code, heading(answer)) == (503, "Please try again later")
    assert answer["Retry-After"] == "2"
    monkeypatch.undo()
    assert submit(visitor, reset_token, **TYPED).status_code == 200


def test_the_page_and_the_api_share_one_rate_limit(
    visitor: Client, person: User, reset_token: str, settings: Settings
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "password_reset_confirm": "2/h"}
    submit(visitor, "x" * 43, **TYPED)
    confirm_reset(APIClient(), "x" * 43)

    answer = submit(visitor, reset_token, **TYPED)

    person.refresh_from_db()
    assert (answer.status_code, heading(answer)) == (429, "Please try again later")
    assert person.check_password(PASSWORD)


class TestHeaders:
    @pytest.fixture(params=["open", "errors", "done", "failed"])
    def answer(self, request: pytest.FixtureRequest, visitor: Client, reset_token: str) -> Any:
        if request.param == "open":
            return visitor.get(URL, {"token": reset_token})
        typed = {"new_password": "weak"} if request.param == "errors" else TYPED
        return submit(visitor, "x" * 43 if request.param == "failed" else reset_token, **typed)

    def test_the_url_of_the_page_reaches_no_other_site(self, answer: Any) -> None:
        assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}
        assert not re.findall(r'(?:href|src|action)="(?:https?:)?//', answer.content.decode())

    def test_the_page_is_not_cached(self, answer: Any) -> None:
        assert "no-store" in answer["Cache-Control"]

    def test_inline_code_is_forbidden_and_absent(self, answer: Any) -> None:
        text = answer.content.decode()

        policy = {
            name: values
            for name, _, values in (it.strip().partition(" ") for it in policy_parts(answer))
        }
        assert policy["default-src"] == "'none'"
        assert policy["style-src"] == policy["form-action"] == "'self'"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert "unsafe" not in answer["Content-Security-Policy"]
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", text, re.IGNORECASE)


def policy_parts(answer: Any) -> list[str]:
    return str(answer["Content-Security-Policy"]).split(";")


def test_the_form_ignores_the_host_of_the_request(
    visitor: Client, reset_token: str, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]

    answer = visitor.get(
        URL,
        {"token": reset_token},
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )

    assert 'action="/account/reset-password/"' in answer.content.decode()
    assert "evil.example" not in answer.content.decode()


def test_the_page_does_not_name_the_account(
    visitor: Client, person: User, reset_token: str
) -> None:
    text = visitor.get(URL, {"token": reset_token}).content.decode()

    assert person.email not in text
    assert person.username not in text
