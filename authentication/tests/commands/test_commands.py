"""Management commands for accounts."""

import getpass
import io
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as service
from django.core.management import CommandError
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.management import demo_data as demo
from authentication.models import AuditLog, User, UserSession
from authentication.tests.clients import NEW_PASSWORD, WRONG_PASSWORD, log_in, sign_in, use_access
from authentication.tests.factories import UserFactory

from .running import run_command

STRONG = "Barley-Harvest-77"

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("command", ["list_sessions", "unlock_account", "revoke_sessions"])
@pytest.mark.parametrize("name", ["nobody@example.org", "nobody", "", "\udcff"])
def test_an_unknown_user_is_refused(command: str, name: str) -> None:
    with pytest.raises(CommandError):
        run_command(command, name)


@pytest.mark.parametrize("name", ["email", "username"])
def test_list_sessions_lists_the_sessions_of_a_user(
    api: APIClient, person: User, name: str
) -> None:
    sign_in(api, person, device_name="Ruth's phone")
    sign_in(api, UserFactory(), device_name="Other phone")

    written = run_command("list_sessions", getattr(person, name).upper())

    session = UserSession.objects.get(user=person)
    assert str(session.pk) in written
    assert "Ruth's phone" in written
    assert written.endswith("1 session(s)\n")
    assert "Other phone" not in written
    assert session.refresh_token_jti not in written


@pytest.mark.parametrize(
    ("command", "event"),
    [("list_sessions", "admin_action"), ("unlock_account", "account_unlocked")],
)
def test_the_event_names_who_ran_the_command(person: User, command: str, event: str) -> None:
    run_command(command, person.email, by="Naomi")

    found = AuditLog.objects.get(event_type=event, user=person)
    assert found.metadata["actor"] == "command line"
    assert found.metadata["operator"] == "Naomi"


@pytest.mark.parametrize("command", ["list_sessions", "unlock_account"])
def test_without_a_name_the_event_has_the_system_user(person: User, command: str) -> None:
    run_command(command, person.email)

    assert AuditLog.objects.get(user=person).metadata["operator"] == getpass.getuser()


def test_an_unusable_name_of_the_operator_is_refused_first(api: APIClient, person: User) -> None:
    for _ in range(5):
        log_in(api, person, WRONG_PASSWORD)

    with pytest.raises(CommandError, match="a name of at most 64"):
        run_command("unlock_account", person.email, by=" ")
    assert log_in(api, person).status_code == 403


def test_unlock_account_removes_a_lock(api: APIClient, person: User) -> None:
    for _ in range(5):
        log_in(api, person, WRONG_PASSWORD)
    assert log_in(api, person).status_code == 403

    run_command("unlock_account", person.email)

    assert log_in(api, person).status_code == 200
    assert AuditLog.objects.get(event_type="account_unlocked").metadata["actor"] == "command line"


class TestRevokeSessions:
    def test_the_sessions_of_one_user_are_ended(self, api: APIClient, person: User) -> None:
        tokens, others = sign_in(api, person), sign_in(api, UserFactory())

        assert run_command("revoke_sessions", person.email) == "1 session(s) ended.\n"

        assert (use_access(api, tokens), use_access(api, others)) == (401, 200)
        assert AuditLog.objects.get(event_type="admin_action").metadata["actor"] == "command line"

    def test_everybody_ends_all_sessions(self, api: APIClient, person: User) -> None:
        tokens = [sign_in(api, person), sign_in(api, UserFactory())]

        assert run_command("revoke_sessions", everybody=True) == "2 session(s) ended.\n"

        assert [use_access(api, it) for it in tokens] == [401, 401]

    @pytest.mark.parametrize("arguments", [{"person": None}, {"person": "ruth", "everybody": True}])
    def test_exactly_one_target_is_required(
        self, api: APIClient, person: User, arguments: dict[str, Any]
    ) -> None:
        tokens = sign_in(api, person)

        with pytest.raises(CommandError, match="Name one user, or use --everybody"):
            run_command("revoke_sessions", **arguments)

        assert use_access(api, tokens) == 200


class TestCreateVerifiedSuperuser:
    def test_a_superuser_is_created_with_a_verified_address(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{STRONG}\n"))

        run_command("create_verified_superuser", "boss@example.org", password_stdin=True)

        superuser = User.objects.get()
        assert (superuser.is_superuser, superuser.is_staff, superuser.email_verified) == (
            True,
            True,
            True,
        )
        assert superuser.check_password(STRONG)
        assert STRONG not in str(list(AuditLog.objects.values()))

    def test_two_different_passwords_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = iter([STRONG, NEW_PASSWORD])
        monkeypatch.setattr(getpass, "getpass", lambda _: next(answers))

        with pytest.raises(CommandError, match="The two passwords are not the same"):
            run_command("create_verified_superuser", "boss@example.org")

        assert not User.objects.exists()

    def test_a_missing_terminal_is_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_terminal(_: str) -> str:
            raise EOFError

        monkeypatch.setattr(getpass, "getpass", no_terminal)

        with pytest.raises(CommandError, match="--password-stdin"):
            run_command("create_verified_superuser", "boss@example.org")

    @pytest.mark.parametrize(
        ("email", "password", "words"),
        [
            ("boss@example.org", "weak", "too short"),
            ("boss@example.org", "", "too short"),
            ("superuser", STRONG, "valid email"),
        ],
    )
    def test_a_weak_password_or_an_invalid_address_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, email: str, password: str, words: str
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))

        with pytest.raises(CommandError, match=words):
            run_command("create_verified_superuser", email, password_stdin=True)

        assert not User.objects.exists()

    def test_a_taken_address_is_refused(
        self, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{STRONG}\n"))

        with pytest.raises(CommandError, match="already an account"):
            run_command("create_verified_superuser", person.email.upper(), password_stdin=True)

        person.refresh_from_db()
        assert not person.is_superuser


class TestSeedDemo:
    def test_demo_users_can_sign_in_and_have_a_history(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(demo, "BATCH", 4)

        written = run_command("seed_demo", "10")

        person = User.objects.order_by("?")[0]
        password = written.split()[-1]
        assert User.objects.count() == 10
        assert UserSession.objects.count() >= 10
        assert AuditLog.objects.count() >= 30
        assert log_in(api, person, password).status_code == 200

    def test_production_refuses_demo_users(self, settings: Settings) -> None:
        settings.ENVIRONMENT = "production"

        with pytest.raises(CommandError, match="Not in production"):
            run_command("seed_demo")

        assert not User.objects.exists()

    @pytest.mark.parametrize("people", ["0", "-1", "many"])
    def test_the_number_of_users_must_be_positive(self, people: str) -> None:
        with pytest.raises(CommandError):
            run_command("seed_demo", people)


@pytest.mark.slow
def test_a_closed_pipe_ends_a_command_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "manage.py", "diffsettings", "--all"],
        cwd=service.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "vineyard_group_fellowship.settings.test"},
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (1, b"")
