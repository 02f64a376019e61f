"""/admin/login/: the same door as the API's."""

import datetime as dt
import re
from typing import Any

import pytest
from django.conf import settings as service
from django.contrib.auth import authenticate
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.exceptions import AccountLocked, InvalidCredentials, PermissionRefused
from authentication.models import AuditLog, OutgoingEmail, User
from authentication.services.sign_in.credentials import Authenticated
from authentication.services.sign_in.credentials import authenticate as prove
from authentication.tests.clients import NOON, Tokens, set_password
from authentication.tests.conftest import API, CHROME, bearer, forget_cached
from authentication.tests.factories import PASSWORD, UserFactory
from vineyard_group_fellowship.settings.base import caches

from .conftest import Clerk, Desk

URL = "/admin/login/"
WRONG = "Wrong-Horse-9"
SESSION = "admin_session"

pytestmark = pytest.mark.django_db


def enter(client: Client, identifier: str, password: str = PASSWORD, **extra: Any) -> Any:
    asked = {"username": identifier, "password": password, "next": "/admin/"}
    return client.post(URL, asked, **extra)


def complaint(answer: Any) -> str:
    found = re.search(
        r'class="errornote"[^>]*>\s*(?:<p>)?(.*?)(?:</p>)?\s*<', answer.content.decode(), re.DOTALL
    )
    assert found, answer.content
    return found.group(1).strip()


def assert_refused(answer: Any, why: str) -> None:
    assert (answer.status_code, complaint(answer)) == (200, why)
    assert SESSION not in answer.cookies
    assert not Session.objects.exists()
    assert not AuditLog.objects.filter(event_type="admin_login").exists()


def api_login(api: APIClient, user: User, password: str = PASSWORD) -> int:
    status = api.post(f"{API}/login/", {"email": user.email, "password": password}).status_code
    api.cookies.clear()
    return int(status)


class TestComingIn:
    @pytest.mark.parametrize(
        "typed", ["boss@example.org", "BOSS@Example.org", " boss@example.org", "boss", "BOSS"]
    )
    def test_staff_come_in_by_either_name_and_their_password(
        self, client: Client, superuser: User, typed: str
    ) -> None:
        answer = enter(client, typed)

        assert (answer.status_code, answer["Location"]) == (302, "/admin/")
        assert client.get("/admin/").status_code == 200

    def test_the_cookie_is_the_desks_own_and_lasts_a_working_day(
        self, client: Client, superuser: User
    ) -> None:
        cookie = enter(client, superuser.email).cookies[SESSION]

        names = ("path", "httponly", "samesite", "max-age", "domain", "secure")
        assert {name: cookie[name] for name in names} == {
            "path": "/admin/",
            "httponly": True,
            "samesite": "Lax",
            "max-age": 8 * 60 * 60,
            "domain": "",
            "secure": "",
        }

    def test_no_token_of_the_api_comes_with_it(self, client: Client, superuser: User) -> None:
        answer = enter(client, superuser.email)

        assert set(answer.cookies) == {SESSION, "csrftoken"}

    def test_it_is_audited_once_with_who_and_where(self, client: Client, superuser: User) -> None:
        answer = enter(
            client, superuser.email, headers={"User-Agent": CHROME}, REMOTE_ADDR="8.8.4.4"
        )

        row = AuditLog.objects.get()
        assert (row.event_type, row.user, row.success, row.risk_level) == (
            "admin_login",
            superuser,
            True,
            "medium",
        )
        assert (row.ip_address, row.user_agent) == ("8.8.4.4", CHROME)
        assert row.correlation_id == answer["X-Correlation-ID"]

    def test_it_ends_after_eight_hours_however_busy_the_desk(
        self, client: Client, superuser: User, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.move_to(NOON, tick=False)
        enter(client, superuser.email)

        time_machine.shift(dt.timedelta(hours=7, minutes=59))
        before = client.get("/admin/")
        time_machine.shift(dt.timedelta(minutes=2))
        # A Redis has a clock of its own, by which its copy ends with the session.
        forget_cached()
        after = client.get("/admin/")

        assert (before.status_code, after.status_code) == (200, 302)
        assert after["Location"].startswith(URL)

    def test_the_session_before_is_not_the_session_after(
        self, client: Client, superuser: User
    ) -> None:
        first = enter(client, superuser.email).cookies[SESSION].value
        client.post("/admin/logout/")
        client.cookies[SESSION] = first

        assert client.get("/admin/").status_code == 302

    @pytest.mark.parametrize(
        "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
    )
    def test_nobody_is_sent_elsewhere(self, client: Client, superuser: User, target: str) -> None:
        answer = client.post(
            URL, {"username": superuser.email, "password": PASSWORD, "next": target}
        )

        assert answer.status_code == 302
        assert answer["Location"].startswith("/")
        assert not answer["Location"].startswith("//")


class TestRefusals:
    def test_an_unknown_name_and_a_wrong_password_are_told_alike(
        self, client: Client, superuser: User
    ) -> None:
        wrong, unknown = (
            enter(client, superuser.email, WRONG),
            enter(client, "nobody@example.org", WRONG),
        )

        assert_refused(wrong, InvalidCredentials.detail)
        assert_refused(unknown, InvalidCredentials.detail)
        assert AuditLog.objects.filter(event_type="login_failed").count() == 2

    def test_people_who_are_not_staff_stay_out(self, client: Client, person: User) -> None:
        right, wrong = enter(client, person.email), enter(client, person.email, WRONG)

        assert_refused(right, PermissionRefused.detail)
        assert_refused(wrong, InvalidCredentials.detail)
        assert AuditLog.objects.get(event_type="admin_login_refused").user == person

    def test_a_right_password_of_somebody_who_is_not_staff_is_no_failure(
        self, client: Client, api: APIClient, person: User
    ) -> None:
        for _ in range(6):
            assert_refused(enter(client, person.email), PermissionRefused.detail)

        person.refresh_from_db()
        assert (person.failed_login_attempts, person.locked_until) == (0, None)
        assert api_login(api, person) == 200

    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            (
                {"email_verified": False, "email_verified_at": None},
                "Please confirm your email address first",
            ),
            ({"is_active": False}, "This account is disabled"),
        ],
        ids=["unproven", "disabled"],
    )
    @pytest.mark.parametrize("superuser", [True, False])
    def test_staff_who_may_not_sign_in_to_the_api_may_not_here(
        self, client: Client, db: None, fields: dict[str, Any], why: str, *, superuser: bool
    ) -> None:
        user = UserFactory(is_staff=True, is_superuser=superuser, **fields)

        right, wrong = enter(client, user.email), enter(client, user.email, WRONG)

        assert why in complaint(right)
        assert_refused(wrong, InvalidCredentials.detail)

    @pytest.mark.parametrize(
        "password", [" Correct-Horse-9", "Correct-Horse-9 ", "correct-horse-9", "", "x" * 5000]
    )
    def test_a_password_is_neither_trimmed_nor_folded(
        self, client: Client, superuser: User, password: str
    ) -> None:
        answer = enter(client, superuser.email, password)

        assert answer.status_code == 200
        assert not Session.objects.exists()

    def test_blanks_are_part_of_a_password(self, client: Client) -> None:
        user = UserFactory(is_staff=True, is_superuser=True, password=" Correct-Horse-9  ")

        assert enter(client, user.email, " Correct-Horse-9").status_code == 200
        assert enter(client, user.email, " Correct-Horse-9  ").status_code == 302

    def test_a_password_changed_meanwhile_lets_nobody_in(
        self, client: Client, superuser: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def somebody_is_faster(**asked: Any) -> Authenticated:
            proven = prove(**asked)
            set_password(User.objects.get(pk=superuser.pk))
            return proven

        monkeypatch.setattr(
            "authentication.services.sign_in.authentication.authenticate", somebody_is_faster
        )

        answer = enter(client, superuser.email)

        assert_refused(answer, InvalidCredentials.detail)

    @pytest.mark.parametrize(
        "identifier", ["\x00", "a\x00b", "\u202eboss", "x" * 5000, "' OR 1=1 --"], ids=ascii
    )
    def test_strange_names_do_no_harm(
        self, client: Client, superuser: User, identifier: str
    ) -> None:
        assert enter(client, identifier, WRONG).status_code == 200
        assert not Session.objects.exists()


class TestOneLockAndOneLimit:
    def test_five_wrong_passwords_here_lock_the_api(
        self, client: Client, api: APIClient, superuser: User, delivered: Any
    ) -> None:
        for _ in range(5):
            assert complaint(enter(client, superuser.email, WRONG)) == InvalidCredentials.detail

        assert api_login(api, superuser) == 403
        assert_refused(enter(client, superuser.email), AccountLocked.detail)
        assert AuditLog.objects.filter(event_type="account_locked").count() == 1
        mails: list[EmailMessage] = delivered()
        assert [mail.subject for mail in mails] == [
            "Signing in to your account is blocked for a while"
        ]

    def test_five_wrong_passwords_at_the_api_lock_this(
        self, client: Client, api: APIClient, superuser: User
    ) -> None:
        for _ in range(5):
            api_login(api, superuser, WRONG)

        assert_refused(enter(client, superuser.email), AccountLocked.detail)

    def test_they_are_counted_together(
        self, client: Client, api: APIClient, superuser: User
    ) -> None:
        for _ in range(2):
            api_login(api, superuser, WRONG)
        for _ in range(3):
            enter(client, superuser.email, WRONG)

        assert api_login(api, superuser) == 403
        assert OutgoingEmail.objects.filter(kind="account_locked").count() == 1

    def test_a_name_nobody_has_is_locked_too(self, client: Client, db: None) -> None:
        for _ in range(5):
            enter(client, "nobody@example.org", WRONG)

        assert_refused(enter(client, "nobody@example.org"), AccountLocked.detail)

    def test_coming_in_ends_the_count(self, client: Client, superuser: User) -> None:
        for _ in range(4):
            enter(client, superuser.email, WRONG)

        assert enter(client, superuser.email).status_code == 302

        superuser.refresh_from_db()
        assert (superuser.failed_login_attempts, superuser.locked_until) == (0, None)

    def test_the_lock_ends_after_half_an_hour(
        self, client: Client, superuser: User, time_machine: TimeMachineFixture, settings: Settings
    ) -> None:
        # A Redis has a clock of its own.
        settings.CACHES = caches("")
        time_machine.move_to(NOON, tick=False)
        for _ in range(5):
            enter(client, superuser.email, WRONG)

        time_machine.shift(dt.timedelta(minutes=29, seconds=59))
        assert_refused(enter(client, superuser.email), AccountLocked.detail)
        time_machine.shift(2)

        assert enter(client, superuser.email).status_code == 302

    def test_both_doors_share_the_limit_of_an_address(
        self, client: Client, api: APIClient, superuser: User, settings: Settings
    ) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "login": "3/h"}
        api_login(api, superuser)
        enter(client, "nobody@example.org", WRONG)
        api.post(f"{API}/login/", {})

        answer = enter(client, superuser.email)

        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 3600
        assert "Too many requests" in answer.content.decode()
        assert "permission" not in answer.content.decode()
        assert not Session.objects.exists()
        assert api_login(api, superuser) == 429
        assert enter(client, superuser.email, REMOTE_ADDR="203.0.113.9").status_code == 302

    def test_no_header_of_a_client_moves_the_limit(
        self, client: Client, superuser: User, settings: Settings
    ) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "login": "1/h"}
        names = (
            "X-Forwarded-For",
            "X-Real-IP",
            "Forwarded",
            "X-Client-IP",
            "CF-Connecting-IP",
            "True-Client-IP",
        )

        answers = [
            enter(client, "x", WRONG, headers={name: f"203.0.113.{n}"})
            for n, name in enumerate(names)
        ]

        assert [answer.status_code for answer in answers] == [200, *[429] * 5]

    def test_opening_the_form_is_not_counted(
        self, client: Client, superuser: User, settings: Settings
    ) -> None:
        settings.RATE_LIMITS = {**settings.RATE_LIMITS, "login": "1/h"}

        assert [client.get(URL).status_code for _ in range(3)] == [200] * 3

        assert enter(client, superuser.email).status_code == 302


class TestDjangosOwnWay:
    def test_there_is_one_backend(self) -> None:
        assert service.AUTHENTICATION_BACKENDS == ["authentication.api.backends.ServiceBackend"]

    @pytest.mark.parametrize("credentials", [{"username": "boss@example.org"}, {"email": "boss"}])
    def test_the_right_password_is_recognised(self, superuser: User, credentials: Any) -> None:
        assert authenticate(password=PASSWORD, **credentials) == superuser

    def test_a_wrong_one_is_counted_and_audited(self, api: APIClient, superuser: User) -> None:
        for _ in range(5):
            assert authenticate(username=superuser.email, password=WRONG) is None

        assert authenticate(username=superuser.email, password=PASSWORD) is None
        assert not Client().login(username=superuser.email, password=PASSWORD)
        assert api_login(api, superuser) == 403
        assert AuditLog.objects.filter(event_type="account_locked").count() == 1

    def test_a_right_one_is_no_failure_however_often(self, superuser: User) -> None:
        found = [authenticate(username=superuser.email, password=PASSWORD) for _ in range(6)]

        superuser.refresh_from_db()
        assert found == [superuser] * 6
        assert (superuser.failed_login_attempts, superuser.locked_until) == (0, None)

    def test_a_lock_of_the_api_holds(self, api: APIClient, superuser: User) -> None:
        for _ in range(5):
            api_login(api, superuser, WRONG)

        assert authenticate(username=superuser.email, password=PASSWORD) is None

    @pytest.mark.parametrize(
        "fields", [{"email_verified": False, "email_verified_at": None}, {"is_active": False}]
    )
    def test_who_may_not_come_in_is_not_recognised(self, db: None, fields: dict[str, Any]) -> None:
        user = UserFactory(**fields)

        assert authenticate(username=user.email, password=PASSWORD) is None
        assert not Client().login(username=user.email, password=PASSWORD)

    @pytest.mark.parametrize(
        "credentials", [{}, {"username": "boss"}, {"password": PASSWORD}, {"username": ""}]
    )
    def test_half_of_the_credentials_are_none(self, superuser: User, credentials: Any) -> None:
        assert authenticate(**credentials) is None

    def test_djangos_client_comes_in_by_it(self, superuser: User) -> None:
        client = Client()

        assert client.login(username=superuser.email, password=PASSWORD)
        assert client.get("/admin/").status_code == 200


class TestForms:
    @pytest.fixture
    def strict(self) -> Client:
        return Client(enforce_csrf_checks=True)

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Sec-Fetch-Site": "same-origin"},
            {"Origin": "http://testserver"},
            {"X-CSRFToken": "x" * 32},
        ],
    )
    def test_without_djangos_csrf_token_nobody_comes_in(
        self, strict: Client, superuser: User, headers: dict[str, str]
    ) -> None:
        strict.get(URL)

        answer = enter(strict, superuser.email, headers=headers)

        assert answer.status_code == 403
        assert not Session.objects.exists()
        assert not AuditLog.objects.exists()

    @pytest.mark.parametrize(
        ("origin", "status"), [("http://testserver", 302), ("https://evil.example", 403)]
    )
    def test_with_it_only_from_here(
        self, strict: Client, superuser: User, origin: str, status: int
    ) -> None:
        token = re.search(
            r'name="csrfmiddlewaretoken" value="(\w+)"', strict.get(URL).content.decode()
        )
        assert token
        asked = {
            "username": superuser.email,
            "password": PASSWORD,
            "csrfmiddlewaretoken": token.group(1),
        }

        answer = strict.post(URL, {**asked, "next": "/admin/"}, headers={"Origin": origin})

        assert answer.status_code == status

    def test_an_action_needs_it_too(self, strict: Client, superuser: User, person: User) -> None:
        strict.force_login(superuser)

        answer = strict.post(
            "/admin/authentication/user/",
            {"action": "disable", "_selected_action": [str(person.pk)]},
        )

        person.refresh_from_db()
        assert answer.status_code == 403
        assert person.is_active


class TestAtTheDesk:
    @pytest.mark.parametrize("path", ["/admin/password_change/", "/admin/password_change/done/"])
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_password_is_not_changed_here(
        self, desk: Desk, superuser: User, path: str, method: str
    ) -> None:
        typed = {
            "old_password": PASSWORD,
            "new_password1": "Another-Horse-7",
            "new_password2": "Another-Horse-7",
        }

        answer = getattr(desk(superuser), method)(path, typed)

        superuser.refresh_from_db()
        assert answer.status_code == 404
        assert superuser.check_password(PASSWORD)

    def test_no_link_leads_there(self, desk: Desk, superuser: User) -> None:
        assert "password_change" not in desk(superuser).get("/admin/").content.decode()

    def test_a_password_changed_elsewhere_ends_it(self, desk: Desk, superuser: User) -> None:
        client = desk(superuser)
        assert client.get("/admin/").status_code == 200

        set_password(superuser)

        assert client.get("/admin/").status_code == 302

    @pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
    def test_whoever_is_let_go_is_out_at_once(
        self, desk: Desk, superuser: User, change: dict[str, bool]
    ) -> None:
        client = desk(superuser)

        User.objects.filter(pk=superuser.pk).update(**change)

        assert client.get("/admin/authentication/user/").status_code == 302

    def test_a_token_of_the_api_opens_nothing(
        self, client: Client, api: APIClient, superuser: User
    ) -> None:
        tokens: Tokens = api.post(
            f"{API}/login/", {"email": superuser.email, "password": PASSWORD}
        ).json()
        client.cookies["refresh_token"] = tokens["refresh"]

        answer = client.get("/admin/", headers=bearer(tokens["access"]))

        assert answer.status_code == 302

    def test_a_seat_at_the_desk_opens_nothing_of_the_api(self, desk: Desk, superuser: User) -> None:
        client = desk(superuser)

        assert client.get("/api/v1/profiles/me/").status_code == 401
        assert client.get("/api/v1/auth/sessions/").status_code == 401

    def test_staff_without_permissions_see_no_table(self, desk: Desk, clerk: Clerk) -> None:
        client = desk(clerk())

        assert client.get("/admin/").status_code == 200
        assert client.get("/admin/authentication/user/").status_code == 403

    def test_leaving_needs_a_post(self, desk: Desk, superuser: User) -> None:
        client = desk(superuser)

        assert client.get("/admin/logout/").status_code == 405
        assert client.post("/admin/logout/").status_code == 200
        assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
    ],
)
def test_signing_in_leads_nowhere_but_here(client: Client, superuser: User, target: str) -> None:
    answer = client.post(
        "/admin/login/", {"username": superuser.email, "password": PASSWORD, "next": target}
    )

    assert answer.status_code == 302
    assert "evil" not in answer["Location"]
    assert "javascript" not in answer["Location"]
