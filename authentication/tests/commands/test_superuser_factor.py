"""manage.py create_verified_superuser --with-otp."""

import base64
import io
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from authentication.models import AuditLog, RecoveryCode, SecondFactor, User
from authentication.tests.clients import NOON
from authentication.tests.flows.logged import logged
from authentication.utils.one_time_codes import STEP_SECONDS, totp_code

from .terminals import Terminal

EMAIL, PASSWORD = "boss@example.org", "Barley-Harvest-77"
RECOVERY_CODE = re.compile(r"^  ([0-9a-z]{6}(?:-[0-9a-z]{6}){3})$", re.MULTILINE)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]


def seed_in(written: str) -> bytes:
    """Return the seed of the otpauth:// URI that a command wrote."""
    (uri,) = re.findall(r"^otpauth://\S+$", written, re.MULTILINE)
    (secret,) = parse_qs(urlsplit(uri).query)["secret"]
    return base64.b32decode(secret)


def code_of(seed: bytes, *, steps: int = 0) -> str:
    return totp_code(seed, int(timezone.now().timestamp()) // STEP_SECONDS + steps)


class App:
    """A person who types a password, then codes of what the command has shown."""

    def __init__(self, shown: io.StringIO, answers: list[Callable[[bytes], str]]) -> None:
        self._shown, self._answers, self._asked_password = shown, answers, False

    def readline(self, *_: Any) -> str:
        """Return the next line that the person types; none at the end."""
        if not self._asked_password:
            self._asked_password = True
            return f"{PASSWORD}\n"
        return f"{self._answers.pop(0)(seed_in(self._shown.getvalue()))}\n" if self._answers else ""


@pytest.fixture
def create(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that runs the command with these answers, and returns what it writes."""

    def run(*answers: Callable[[bytes], str], **options: Any) -> str:
        shown = io.StringIO()
        monkeypatch.setattr("sys.stdin", App(shown, list(answers)))
        flags = {"password_stdin": True, "with_otp": True, "otp_stdin": True, **options}
        call_command("create_verified_superuser", EMAIL, stdout=shown, **flags)
        return shown.getvalue()

    return run


def wrong(seed: bytes) -> str:
    return code_of(seed, steps=50)


def test_the_factor_works_in_the_admin_at_once(
    create: Callable[..., str], client: Client, settings: Settings, time_machine: Any
) -> None:
    settings.ADMIN_REQUIRE_OTP = True
    written = create(code_of)

    time_machine.shift(60)
    form = {"username": EMAIL, "password": PASSWORD, "otp": code_of(seed_in(written))}
    assert client.post("/admin/login/", form).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_the_first_code_does_not_work_again(create: Callable[..., str], client: Client) -> None:
    seed = seed_in(create(code_of))

    form = {"username": EMAIL, "password": PASSWORD, "otp": code_of(seed)}
    assert client.post("/admin/login/", form).status_code == 200


def test_each_recovery_code_that_is_shown_works(create: Callable[..., str], client: Client) -> None:
    codes = RECOVERY_CODE.findall(create(code_of))

    assert len(set(codes)) == 10
    form = {"username": EMAIL, "password": PASSWORD, "otp": codes[9]}
    assert client.post("/admin/login/", form).status_code == 302
    assert RecoveryCode.objects.filter(used_at=None).count() == 9


def test_the_screen_shows_a_code_to_scan(create: Callable[..., str]) -> None:
    lines = [it for it in create(code_of).splitlines() if it and set(it) <= set(" █▀▄")]

    assert len(lines) > 20
    assert len({len(it) for it in lines}) == 1


def test_a_wrong_code_may_be_corrected(create: Callable[..., str]) -> None:
    assert "That code didn't work" in create(wrong, lambda _: "x", code_of)

    assert User.objects.get().second_factor_at is not None


@pytest.mark.parametrize("answers", [[wrong] * 3, [wrong]], ids=["three wrong", "no more input"])
def test_without_a_right_code_nothing_is_created(create: Callable[..., str], answers: Any) -> None:
    with pytest.raises(CommandError, match=r"Nothing was created|has ended"):
        create(*answers)

    assert not User.objects.exists()
    assert not SecondFactor.objects.exists()


def test_a_weak_password_and_a_taken_address_are_refused_before_the_seed_is_shown(
    create: Callable[..., str], person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=person.pk).update(email=EMAIL, email_canonical=EMAIL)

    def reveal(_: str) -> str:
        raise AssertionError("A seed was shown.")

    monkeypatch.setattr(
        "authentication.management.commands.create_verified_superuser.qr_text", reveal
    )
    with pytest.raises(CommandError, match="already an account"):
        create(code_of)


def test_the_seed_is_shown_on_a_terminal_only(create: Callable[..., str]) -> None:
    with pytest.raises(CommandError, match="perhaps to a log"):
        create(code_of, otp_stdin=False)

    assert not User.objects.exists()


def test_on_a_terminal_the_code_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    answers = iter([PASSWORD, PASSWORD])
    monkeypatch.setattr(
        "getpass.getpass",
        lambda _: next(answers, None) or code_of(seed_in(screen.getvalue())),
    )

    call_command("create_verified_superuser", EMAIL, with_otp=True, stdout=screen, no_color=True)

    assert User.objects.get().second_factor_at is not None


def test_no_secret_reaches_the_log_or_the_audit(create: Callable[..., str]) -> None:
    with logged("json") as log:
        written = create(code_of, by="Naomi")

    seed = seed_in(written)
    secrets = [base64.b32encode(seed).decode(), code_of(seed), *RECOVERY_CODE.findall(written)]
    kept = (
        log.getvalue()
        + str(list(AuditLog.objects.values()))
        + str(list(SecondFactor.objects.values()) + list(RecoveryCode.objects.values()))
    )
    assert [it for it in secrets if it in kept] == []
    event = AuditLog.objects.get(event_type="second_factor_enabled")
    assert event.metadata == {"change": "enabled", "actor": "command line", "operator": "Naomi"}


def test_the_code_from_standard_input_needs_a_factor(create: Callable[..., str]) -> None:
    with pytest.raises(CommandError, match="with --with-otp"):
        create(code_of, with_otp=False)
