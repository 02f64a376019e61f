"""Staff without a second factor set one up on the way into the admin that requires it."""

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, RecoveryCode, SecondFactor, User, UserSession
from authentication.services.sign_in import WRONG_CODE
from authentication.tests.browser.codes import code_of
from authentication.tests.clients import WRONG_PASSWORD, log_in, page_browser, post_as, sign_in
from authentication.tests.conftest import API, Deliver, token_in
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.tests.limits import set_limits

from .staff import ENROLMENT, USERS, MakeStaff, admin_login, error_note

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _required(settings: Settings) -> None:
    settings.ADMIN_REQUIRE_OTP = True


def secret_on(page: Any) -> str:
    """Return the secret that a page shows."""
    found = re.search(r"<code>([A-Z2-7 ]+)</code>", page.content.decode())
    assert found, page.content
    return found.group(1).replace(" ", "")


def begun(client: Client, identifier: str = "boss") -> str:
    """Sign in and open the page; return the secret on it."""
    answer = admin_login(client, identifier)
    assert answer["Location"] == ENROLMENT
    return secret_on(client.get(ENROLMENT))


def confirm(client: Client, code: str) -> Any:
    """Return the answer to the form with the first code."""
    return client.post(ENROLMENT, {"otp": code})


def codes_on(page: Any) -> list[str]:
    """Return the recovery codes that a page shows."""
    return re.findall(r"<li><code>([a-z0-9-]+)</code>", page.content.decode())


def test_the_first_code_signs_in_and_the_recovery_codes_are_shown_once(
    client: Client, superuser: User
) -> None:
    secret = begun(client)

    page = confirm(client, code_of(secret))

    assert len(codes_on(page)) == 10
    assert 'href="/admin/"' in page.content.decode()
    assert client.get("/admin/").status_code == 200
    assert client.get(ENROLMENT)["Location"] == "/admin/"
    assert confirm(client, code_of(secret))["Location"] == "/admin/"
    assert client.get(USERS).status_code == 200


def test_the_page_has_a_picture_a_link_and_a_key(client: Client, superuser: User) -> None:
    secret = begun(client)
    answer = client.get(ENROLMENT)

    text = html.unescape(answer.content.decode())
    assert "<svg" in text
    assert "otpauth://totp/" in text
    assert secret in text
    assert answer["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_it_is_audited_mailed_and_can_be_undone(
    client: Client, superuser: User, api: APIClient, delivered: Deliver
) -> None:
    User.objects.update(last_login=timezone.now())
    confirm(client, code_of(begun(client)))

    mails = {message.subject: message for message in delivered()}
    events = list(AuditLog.objects.order_by("timestamp").values_list("event_type", flat=True))
    assert len(mails) == 2
    assert set(events) >= {
        *("admin_login_refused", "login", "second_factor_offered"),
        *("second_factor_enabled", "admin_login"),
    }
    [undo] = [it for it in mails.values() if "/undo-change/" in str(it.body)]
    answer = api.post(f"{API}/account/change/undo/", {"token": token_in(undo)})
    superuser.refresh_from_db()
    assert answer.status_code == 200
    assert superuser.second_factor_at is None
    assert not RecoveryCode.objects.exists()
    assert client.get("/admin/").status_code == 302


def test_disowning_the_new_device_takes_the_factor_back(
    client: Client, superuser: User, api: APIClient, delivered: Deliver
) -> None:
    User.objects.update(last_login=timezone.now())
    confirm(client, code_of(begun(client)))
    [about_device] = [it for it in delivered() if "/not-me/" in str(it.body)]

    answer = api.post(f"{API}/account/disown-session/", {"token": token_in(about_device)})

    superuser.refresh_from_db()
    assert answer.status_code == 200
    assert superuser.second_factor_at is None
    assert client.get("/admin/").status_code == 302


def test_no_one_gets_tokens_and_the_session_ends_with_the_enrolment(
    client: Client, superuser: User
) -> None:
    answer = admin_login(client, "boss")
    [session] = UserSession.objects.all()
    assert set(answer.cookies) == {"admin_session", "device"}
    assert session.expires_at - session.created_at == dt.timedelta(minutes=10)

    confirm(client, code_of(secret_on(client.get(ENROLMENT))))

    session.refresh_from_db()
    assert not session.is_active


def test_the_secret_is_nowhere_in_the_clear(client: Client, superuser: User) -> None:
    secret = begun(client)

    [stored] = Session.objects.all()
    held = str(stored.get_decoded())
    assert secret not in held
    assert "otpauth" not in held
    assert secret not in str(list(SecondFactor.objects.values()))


def test_a_wrong_code_leaves_the_admin_closed_and_can_be_corrected(
    client: Client, superuser: User
) -> None:
    secret = begun(client)

    refused = confirm(client, "000000")

    assert refused.status_code == 400
    assert str(WRONG_CODE) in html.unescape(refused.content.decode())
    assert secret_on(refused) == secret
    assert client.get("/admin/").status_code == 302
    assert len(codes_on(confirm(client, code_of(secret)))) == 10


def test_guesses_are_limited(client: Client, superuser: User, settings: Settings) -> None:
    set_limits(settings, second_factor="2/h")
    secret = begun(client)
    for _ in range(2):
        confirm(client, "000000")

    answer = confirm(client, code_of(secret))

    assert answer.status_code == 429
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("who", ["wrong password", "member", "deleted"])
def test_only_staff_with_the_right_password_get_there(
    client: Client, superuser: User, who: str
) -> None:
    name, password = "boss", PASSWORD
    if who == "wrong password":
        password = WRONG_PASSWORD
    elif who == "member":
        name = UserFactory().username
    else:
        User.objects.update(deletion_requested_at=timezone.now())

    answer = admin_login(client, name, password)

    assert (answer.status_code, bool(error_note(answer))) == (200, True)
    assert client.get(ENROLMENT)["Location"] == "/admin/"
    assert not UserSession.objects.exists()
    assert not SecondFactor.objects.exists()


def test_staff_without_a_proven_address_are_refused(
    client: Client, superuser: User, settings: Settings
) -> None:
    settings.REQUIRE_EMAIL_VERIFICATION = False
    User.objects.update(email_verified=False)

    answer = admin_login(client, "boss")

    assert answer.status_code == 200
    assert error_note(answer)
    assert not UserSession.objects.exists()


def test_the_page_belongs_to_one_browser(client: Client, superuser: User) -> None:
    begun(client)

    other = page_browser()

    assert other.get(ENROLMENT)["Location"] == "/admin/"


class TestOver:
    """What ends an enrolment before its code: nothing of it is in force then."""

    def _assert_over(self, client: Client, secret: str) -> None:
        answer = confirm(client, code_of(secret))
        assert answer.status_code == 403
        assert "That took too long" in answer.content.decode()
        assert client.get("/admin/").status_code == 302

    def test_ten_minutes(
        self, client: Client, superuser: User, time_machine: TimeMachineFixture
    ) -> None:
        secret = begun(client)
        time_machine.move_to(timezone.now() + dt.timedelta(minutes=11))

        self._assert_over(client, secret)
        assert not User.objects.get().second_factor_at

    def test_the_end_of_all_sessions(self, client: Client, superuser: User, api: APIClient) -> None:
        secret = begun(client)
        post_as(api, sign_in(api, superuser), f"{API}/sessions/terminate-all/")

        self._assert_over(client, secret)

    def test_a_factor_that_the_owner_set_up_first(
        self, client: Client, superuser: User, api: APIClient
    ) -> None:
        secret = begun(client)
        owner = sign_in(api, superuser)
        offer = post_as(api, owner, f"{API}/2fa/totp/setup/", {"password": PASSWORD}).json()
        post_as(api, owner, f"{API}/2fa/totp/confirm/", {"otp": code_of(offer["secret"])})

        self._assert_over(client, secret)
        assert log_in(APIClient(), superuser).json()["code"] == "mfa_required"

    def test_a_rank_that_was_taken_away(self, client: Client, make_staff: MakeStaff) -> None:
        person = make_staff("view_user")
        secret = begun(client, person.username)
        User.objects.update(is_staff=False)

        self._assert_over(client, secret)
        assert not User.objects.get(pk=person.pk).second_factor_at


def test_an_offer_by_another_device_is_not_shown_and_not_confirmed(
    client: Client, superuser: User, api: APIClient
) -> None:
    secret = begun(client)
    body = {"password": PASSWORD}
    offer = post_as(api, sign_in(api, superuser), f"{API}/2fa/totp/setup/", body).json()

    assert secret_on(client.get(ENROLMENT)) == secret != offer["secret"]
    assert confirm(client, code_of(secret)).status_code == 400


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [(USERS, USERS), ("https://evil.example/", "/admin/"), ("//evil.example", "/admin/")],
)
def test_the_page_leads_on_to_where_one_wanted_to_go(
    client: Client, superuser: User, wanted: str, led_to: str
) -> None:
    form = {"username": "boss", "password": PASSWORD, "next": wanted}
    client.post("/admin/login/", form)

    page = confirm(client, code_of(secret_on(client.get(ENROLMENT))))

    assert f'href="{led_to}"' in page.content.decode()
    assert "evil" not in page.content.decode()


def test_the_form_needs_its_csrf_token(superuser: User) -> None:
    client = page_browser()
    page = client.get("/admin/login/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    headers = {"Origin": "http://testserver"}
    form = {"csrfmiddlewaretoken": token[1], "username": "boss", "password": PASSWORD}
    client.post("/admin/login/", form, headers=headers)
    secret = secret_on(client.get(ENROLMENT))

    answer = client.post(ENROLMENT, {"otp": code_of(secret)}, headers=headers)

    assert answer.status_code == 403
    assert not User.objects.get().second_factor_at


def test_the_login_page_leads_to_a_new_password(client: Client) -> None:
    assert 'href="/account/forgot-password/"' in client.get("/admin/login/").content.decode()
