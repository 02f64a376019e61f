"""The management commands about people: what they do, what they refuse, and who they say did it."""

import getpass
import io
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as service
from django.core.management import CommandError, call_command
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.management import demo_data as demo
from authentication.models import AuditLog, User, UserSession
from authentication.tests.clients import sign_in, use_access
from authentication.tests.conftest import API
from authentication.tests.factories import PASSWORD, UserFactory

STRONG = "Barley-Harvest-77"

pytestmark = pytest.mark.django_db


def run(*arguments: str, **options: Any) -> str:
    written = io.StringIO()
    call_command(*arguments, stdout=written, stderr=io.StringIO(), **options)
    return written.getvalue()


@pytest.mark.parametrize("command", ["list_sessions", "unlock_account", "revoke_sessions"])
@pytest.mark.parametrize("nobody", ["nobody@example.org", "nobody", "", "\udcff"])
def test_nobody_is_refused(command: str, nobody: str) -> None:
    with pytest.raises(CommandError):
        run(command, nobody)


@pytest.mark.parametrize("name", ["email", "username"])
def test_the_devices_of_a_person_are_listed(api: APIClient, person: User, name: str) -> None:
    sign_in(api, person, device_name="Ruth's phone")
    sign_in(api, UserFactory(), device_name="Somebody's desk")

    told = run("list_sessions", getattr(person, name).upper())

    session = UserSession.objects.get(user=person)
    assert str(session.pk) in told
    assert "Ruth's phone" in told
    assert told.endswith("1 session(s)\n")
    assert "Somebody" not in told
    assert session.refresh_token_jti not in told


def test_a_lock_is_lifted(api: APIClient, person: User) -> None:
    for _ in range(5):
        api.post(f"{API}/login/", {"email": person.email, "password": "Wrong-Horse-9"})
    assert (
        api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD}).status_code == 403
    )

    run("unlock_account", person.email)

    assert (
        api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD}).status_code == 200
    )
    assert AuditLog.objects.get(event_type="account_unlocked").metadata["actor"] == "command line"


class TestRevoking:
    def test_one_person_is_signed_out(self, api: APIClient, person: User) -> None:
        tokens, others = sign_in(api, person), sign_in(api, UserFactory())

        assert run("revoke_sessions", person.email) == "1 session(s) ended.\n"

        assert (use_access(api, tokens), use_access(api, others)) == (401, 200)
        assert AuditLog.objects.get(event_type="admin_action").metadata["actor"] == "command line"

    def test_everybody_is(self, api: APIClient, person: User) -> None:
        tokens = [sign_in(api, person), sign_in(api, UserFactory())]

        assert run("revoke_sessions", everybody=True) == "2 session(s) ended.\n"

        assert [use_access(api, it) for it in tokens] == [401, 401]

    @pytest.mark.parametrize("arguments", [{"person": None}, {"person": "ruth", "everybody": True}])
    def test_it_must_be_said_who(
        self, api: APIClient, person: User, arguments: dict[str, Any]
    ) -> None:
        tokens = sign_in(api, person)

        with pytest.raises(CommandError, match="Name one user, or use --everybody"):
            run("revoke_sessions", **arguments)

        assert use_access(api, tokens) == 200


class TestASuperuser:
    def test_gets_in_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{STRONG}\n"))

        run("create_verified_superuser", "boss@example.org", password_stdin=True)

        boss = User.objects.get()
        assert (boss.is_superuser, boss.is_staff, boss.email_verified) == (True, True, True)
        assert boss.check_password(STRONG)
        assert STRONG not in str(list(AuditLog.objects.values()))

    def test_is_asked_for_a_password_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = iter([STRONG, "Another-Horse-7"])
        monkeypatch.setattr(getpass, "getpass", lambda _: next(answers))

        with pytest.raises(CommandError, match="The two passwords are not the same"):
            run("create_verified_superuser", "boss@example.org")

        assert not User.objects.exists()

    def test_is_not_waited_for_where_nobody_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def nobody(_: str) -> str:
            raise EOFError

        monkeypatch.setattr(getpass, "getpass", nobody)

        with pytest.raises(CommandError, match="--password-stdin"):
            run("create_verified_superuser", "boss@example.org")

    @pytest.mark.parametrize(
        ("email", "password", "words"),
        [
            ("boss@example.org", "weak", "too short"),
            ("boss@example.org", "", "too short"),
            ("boss", STRONG, "valid email"),
        ],
    )
    def test_needs_a_good_password_and_address(
        self, monkeypatch: pytest.MonkeyPatch, email: str, password: str, words: str
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))

        with pytest.raises(CommandError, match=words):
            run("create_verified_superuser", email, password_stdin=True)

        assert not User.objects.exists()

    def test_does_not_take_somebodys_address(
        self, person: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{STRONG}\n"))

        with pytest.raises(CommandError, match="already an account"):
            run("create_verified_superuser", person.email.upper(), password_stdin=True)

        person.refresh_from_db()
        assert not person.is_superuser


class TestPeopleWhoDoNotExist:
    def test_can_be_signed_in_as_and_have_a_past(
        self, api: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(demo, "BATCH", 4)

        told = run("seed_demo", "10")

        person = User.objects.order_by("?")[0]
        password = told.split()[-1]
        assert User.objects.count() == 10
        assert UserSession.objects.count() >= 10
        assert AuditLog.objects.count() >= 30
        assert (
            api.post(f"{API}/login/", {"email": person.email, "password": password}).status_code
            == 200
        )

    def test_are_not_made_in_production(self, settings: Settings) -> None:
        settings.ENVIRONMENT = "production"

        with pytest.raises(CommandError, match="Not in production"):
            run("seed_demo")

        assert not User.objects.exists()

    @pytest.mark.parametrize("people", ["0", "-1", "many"])
    def test_are_a_number_of_people(self, people: str) -> None:
        with pytest.raises(CommandError):
            run("seed_demo", people)


def test_a_reader_who_has_had_enough_ends_a_command_quietly() -> None:
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
