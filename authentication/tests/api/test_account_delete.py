"""POST /api/v1/auth/account/delete/: leaving, coming back, and being forgotten."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.cache import caches
from django.core.mail import EmailMessage, send_mail
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, FailedTask, User, UserSession
from authentication.services import DeletionService
from authentication.services.accounts import erasure
from authentication.services.operations.retention import RetentionService
from authentication.tests.answers import CLEARED, TOKEN_INVALID, cookie_of, refusal_of
from authentication.tests.clients import NOON, Tokens, sign_in, use_access, use_refresh
from authentication.tests.conftest import API, BROWSER, CHROME, bearer
from authentication.tests.factories import PASSWORD, UserFactory, give_factor

URL, LOGIN = f"{API}/account/delete/", f"{API}/login/"
GRACE = dt.timedelta(days=14)

Deliver = Callable[[], list[EmailMessage]]

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOON, tick=False)]


def leave(api: APIClient, tokens: Tokens, **headers: str) -> Any:
    return api.post(URL, headers={**bearer(tokens["access"]), **headers})


def come_back(api: APIClient, person: User, **body: Any) -> Any:
    return api.post(LOGIN, {"email": person.email, "password": PASSWORD, **body})


class TestLeaving:
    def test_every_device_is_signed_out_at_once(
        self, api: APIClient, person: User, delivered: Deliver
    ) -> None:
        mine, other = sign_in(api, person), sign_in(api, person)

        answer = leave(api, mine)

        assert (answer.status_code, answer.json()) == (
            200,
            {
                "message": "Your account will be deleted. Sign in before then if you change your mind.",
                "deletion_at": "2026-12-06T12:00:00Z",
            },
        )
        assert cookie_of(answer) == CLEARED
        assert [use_access(api, it) for it in (mine, other)] == [401, 401]
        assert [use_refresh(api, it) for it in (mine, other)] == [401, 401]
        assert [mail.subject for mail in delivered()] == ["Your account will be deleted"]
        assert AuditLog.objects.get(event_type="account_deletion_requested").risk_level == "high"

    def test_a_stolen_access_token_is_not_enough(
        self, api: APIClient, signed_in: Tokens, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(11 * 60)

        assert leave(api, signed_in).json()["code"] == "reauthentication_required"
        assert not User.objects.exclude(deletion_requested_at=None).exists()

    def test_a_stranger_and_another_site_cannot_ask_for_it(
        self, api: APIClient, signed_in: Tokens
    ) -> None:
        foreign = {**BROWSER, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

        assert refusal_of(api.post(URL)) == TOKEN_INVALID
        assert leave(api, signed_in, **foreign).json()["code"] == "csrf_failed"
        assert not User.objects.exclude(deletion_requested_at=None).exists()

    def test_a_sign_in_that_waited_for_its_code_does_not_take_that_back(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture
    ) -> None:
        factor = give_factor(person)
        waiting = come_back(api, person).json()["mfa_token"]
        time_machine.shift(60)
        tokens = come_back(api, person, otp=factor.code()).json()
        assert leave(api, tokens).status_code == 200
        time_machine.shift(60)

        answer = api.post(f"{API}/2fa/verify/", {"mfa_token": waiting, "otp": factor.code()})

        assert refusal_of(answer) == TOKEN_INVALID
        person.refresh_from_db()
        assert person.deletion_requested_at is not None


class TestComingBack:
    @pytest.fixture(autouse=True)
    def _left(self, api: APIClient, person: User, signed_in: Tokens) -> None:
        assert leave(api, signed_in).status_code == 200

    def test_signing_in_says_what_is_about_to_happen(self, api: APIClient, person: User) -> None:
        answer = come_back(api, person)

        body = answer.json()
        assert (answer.status_code, body["code"]) == (403, "account_deletion_pending")
        assert body["deletion_at"] == "2026-12-06T12:00:00Z"
        assert not UserSession.objects.filter(is_active=True).exists()
        person.refresh_from_db()
        assert person.failed_login_attempts == 0

    def test_only_who_knows_the_password_is_told(self, api: APIClient, person: User) -> None:
        answer = api.post(LOGIN, {"email": person.email, "password": "Wrong-Horse-9"})

        assert answer.json()["code"] == "invalid_credentials"

    def test_with_restore_they_stay(
        self, api: APIClient, person: User, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(13 * 86_400)

        answer = come_back(api, person, restore=True)
        time_machine.shift(2 * 86_400)
        DeletionService.erase_due()

        assert answer.status_code == 200
        assert AuditLog.objects.filter(event_type="account_restored", user=person).count() == 1
        person.refresh_from_db()
        assert person.deletion_requested_at is None
        assert come_back(api, person).status_code == 200

    def test_once_the_erasure_has_begun_nobody_comes_back(
        self, api: APIClient, person: User
    ) -> None:
        User.objects.begin_erasure(person.pk, key="k")

        assert come_back(api, person, restore=True).status_code in {401, 403}
        assert not UserSession.objects.filter(is_active=True).exists()

    def test_the_desk_lets_nobody_in_who_is_leaving(self, client: Any, person: User) -> None:
        User.objects.filter(pk=person.pk).update(is_staff=True, is_superuser=True)

        answer = client.post("/admin/login/", {"username": person.email, "password": PASSWORD})

        assert answer.status_code == 200
        assert b"not allowed" in answer.content

    def test_a_sign_in_from_before_gets_no_session(self, person: User) -> None:
        before = User.objects.get(pk=person.pk)
        before.deletion_requested_at = None

        assert User.objects.sign_in(before, at=NOON) is False


CANARIES = ("naomi", "Naomi", "Canary", "203.0.113.77")


def everything_stored() -> str:
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 -- the database's own names
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


def live_a_life(api: APIClient) -> tuple[User, Tokens]:
    """Leave traces wherever a person can."""
    told: Any = {"REMOTE_ADDR": "203.0.113.77", "HTTP_USER_AGENT": f"{CHROME} Canary"}
    account = {
        "email": "naomi@example.org",
        "username": "naomi",
        "password": PASSWORD,
        "first_name": "Naomi",
    }
    api.post(LOGIN, {"email": "naomi@example.org", "password": "Wrong-Horse-9"}, **told)
    api.post(
        f"{API}/register/", {**account, "display_name": "Naomi", "terms_accepted": True}, **told
    )
    person = User.objects.get(username="naomi")
    User.objects.verify_email(person.pk, at=NOON)
    tokens: Tokens = api.post(
        LOGIN, {"email": person.email, "password": PASSWORD, "device_name": "Naomi"}, **told
    ).json()
    api.cookies.clear()
    api.post(
        f"{API}/account/email/",
        {"email": "naomi@example.net"},
        headers=bearer(tokens["access"]),
        **told,
    )
    api.post(f"{API}/account/export/", headers=bearer(tokens["access"]), **told)
    api.post(f"{API}/token/refresh/", {"refresh": tokens["refresh"]}, **told)
    LogEntry.objects.create(
        user=UserFactory(), object_id=str(person.pk), object_repr="naomi", action_flag=2
    )
    FailedTask.objects.create(
        task="authentication.tasks.check_breach", arguments=[str(person.pk)], error="OSError"
    )
    return person, tokens


class TestBeingForgotten:
    @pytest.fixture
    def gone(self, api: APIClient, time_machine: TimeMachineFixture) -> User:
        """Return somebody who has left, and whose days of grace are over."""
        person, _ = live_a_life(api)
        User.objects.request_deletion(person.pk, at=NOON)
        assert all(canary in everything_stored() for canary in CANARIES)
        time_machine.shift(GRACE.total_seconds() + 1)
        return person

    def test_nothing_stored_points_at_the_person(self, gone: User) -> None:
        DeletionService.erase_due()

        stored = everything_stored()
        cached = "".join(
            repr(item) for name in ("default", "limits") for item in _held(caches[name])
        )
        for trace in (*CANARIES, str(gone.pk), gone.pk.hex):
            assert trace not in stored
            assert trace not in cached

    def test_what_happened_stays_written_down(self, gone: User) -> None:
        before = AuditLog.objects.count()

        DeletionService.erase_due()

        erased = AuditLog.objects.get(event_type="account_erased")
        subject = erased.metadata["subject"]
        assert AuditLog.objects.count() == before + 1
        assert AuditLog.objects.filter(event_type="login", metadata__subject=subject).count() == 1
        assert (
            AuditLog.objects.filter(event_type="login_failed", metadata__subject=subject).count()
            == 1
        )
        assert not User.objects.filter(pk=gone.pk).exists()

    def test_before_the_grace_is_over_nobody_is(
        self, gone: User, time_machine: TimeMachineFixture
    ) -> None:
        time_machine.shift(-2)

        assert DeletionService.erase_due() == 0
        assert User.objects.filter(pk=gone.pk).exists()

    @pytest.mark.parametrize("step", ["_anonymize_actor", "_delete_related", "record"])
    def test_killed_in_the_middle_it_goes_on_where_it_stopped(
        self, gone: User, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        def killed(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as fault:
            fault.setattr(erasure, step, killed)
            with pytest.raises(KeyboardInterrupt):
                DeletionService.erase_due()
        assert User.objects.filter(pk=gone.pk).exists()

        assert DeletionService.erase_due() == 1
        assert not [trace for trace in CANARIES if trace in everything_stored()]
        assert (
            len(
                {
                    it.metadata["subject"]
                    for it in AuditLog.objects.filter(metadata__has_key="subject")
                }
            )
            == 1
        )

    def test_twice_is_once(self, gone: User) -> None:
        assert (DeletionService.erase_due(), DeletionService.erase_due()) == (1, 0)
        assert AuditLog.objects.filter(event_type="account_erased").count() == 1

    def test_whoever_registers_the_address_again_inherits_nothing(
        self, api: APIClient, gone: User
    ) -> None:
        DeletionService.erase_due()

        api.post(
            f"{API}/register/",
            {"email": "naomi@example.org", "username": "naomi", "password": PASSWORD},
        )

        again = User.objects.get(username="naomi")
        assert again.pk != gone.pk
        assert (again.first_name, again.terms_version, again.email_verified) == ("", "", False)
        assert AuditLog.objects.filter(user=again).count() == 1

    def test_nobody_elses_traces_go(self, api: APIClient, gone: User) -> None:
        other = UserFactory()
        tokens = sign_in(api, other)

        DeletionService.erase_due()

        assert use_access(api, tokens) == 200
        assert AuditLog.objects.get(user=other, event_type="login").ip_address == "127.0.0.1"

    def test_mails_kept_as_files_go_too(
        self, gone: User, settings: Settings, tmp_path: Any
    ) -> None:
        settings.EMAIL_FILE_PATH = tmp_path
        settings.EMAIL_BACKEND = "authentication.services.mail.file_backend.FileMailbox"
        for to in ("Naomi@example.org", "naomi@example.net", "ruth@example.org"):
            send_mail("a", "b", None, [to])

        DeletionService.erase_due()

        (kept,) = tmp_path.iterdir()
        assert "ruth@example.org" in kept.read_text()

    def test_an_account_never_proven_leaves_no_trace_either(
        self, api: APIClient, settings: Settings, time_machine: TimeMachineFixture
    ) -> None:
        settings.UNVERIFIED_ACCOUNT_RETENTION = dt.timedelta(days=30)
        api.post(
            f"{API}/register/",
            {"email": "naomi@example.org", "password": PASSWORD},
            REMOTE_ADDR="203.0.113.77",
        )
        time_machine.shift(31 * 86_400)

        RetentionService.clean("accounts")

        assert not [trace for trace in ("naomi", "203.0.113.77") if trace in everything_stored()]


def _held(cache: Any) -> Any:
    return cache._cache.items() if hasattr(cache, "_cache") else ()
