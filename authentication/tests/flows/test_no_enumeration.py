"""Nothing tells whether an address or a name has an account: not the answer, not the work behind it (V6.3.8)."""

import collections
import dataclasses
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from celery import Celery
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from time_machine import TimeMachineFixture

from authentication.models import AuditLog, OutgoingEmail, User
from authentication.services.background import queue as background
from authentication.services.passwords.hashers import ServiceArgon2Hasher
from authentication.tests.clients import NOON
from authentication.tests.conftest import API, ME, bearer, queries
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.utils.faults import Breaker
from vineyard_group_fellowship.settings.base import caches

# Of one length, so that no header differs.
KNOWN, UNKNOWN = "ruth@example.org", "noah@example.org"
KNOWN_NAME, UNKNOWN_NAME = "ruth-moab", "noah-moab"
THEIR_OWN = {"X-Correlation-ID", "X-Response-Time", "Server-Timing"}

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
]


@dataclasses.dataclass(frozen=True)
class Question:
    """A request that a stranger can send about an address or a name."""

    path: str
    body: Callable[[str], dict[str, Any]]
    known: str = KNOWN
    unknown: str = UNKNOWN
    # What the row of an account costs more than the cache entry of a name that has none.
    more_work: dict[str, int] = dataclasses.field(default_factory=dict)
    less_work: dict[str, int] = dataclasses.field(default_factory=dict)

    def ask(self, about: str, address: str = "198.51.100.7") -> Any:
        return APIClient().post(f"{API}/{self.path}/", self.body(about), REMOTE_ADDR=address)


def with_password(field: str) -> Callable[[str], dict[str, Any]]:
    return lambda about: {field: about, "password": "Wrong-Horse-9"}


QUESTIONS = {
    "login by address": Question("login", with_password("email"), more_work={"UPDATE": 1}),
    "login by name": Question(
        "login",
        with_password("username"),
        known=KNOWN_NAME,
        unknown=UNKNOWN_NAME,
        more_work={"UPDATE": 1},
    ),
    "register": Question(
        "register", lambda about: {"email": about, "password": PASSWORD}, less_work={"INSERT": 3}
    ),
    "password reset": Question("password/reset", lambda about: {"email": about}),
    "resend": Question("email/resend", lambda about: {"email": about}),
}
QUESTIONS_IDS = pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS.keys())


@pytest.fixture(autouse=True)
def ruth(db: None) -> User:
    return UserFactory(email=KNOWN, username=KNOWN_NAME)


def told(answer: Any, *, but: set[str] = THEIR_OWN) -> dict[str, Any]:
    """Return all that an answer tells, in the words that a stranger could compare."""
    body = {
        name: value
        for name, value in answer.json().items()
        if name not in {"correlation_id", "user_id"}
    }
    # An answer may name whom it was asked about.
    text = repr(body).replace(KNOWN, "<about>").replace(UNKNOWN, "<about>")
    return {
        "status": answer.status_code,
        "body": text,
        "headers": {name: value for name, value in answer.headers.items() if name not in but},
        "cookies": sorted(answer.cookies),
    }


@QUESTIONS_IDS
def test_known_and_unknown_are_answered_alike_ten_times_over(question: Question) -> None:
    # The window of a limit begins at another time for each address.
    its_own = THEIR_OWN | {"RateLimit", "Retry-After"}

    for _ in range(10):
        known = question.ask(question.known, "198.51.100.7")
        unknown = question.ask(question.unknown, "198.51.100.8")

        assert told(known, but=its_own) == told(unknown, but=its_own)
        assert (
            known.get("RateLimit", "").partition("t=")[0]
            == unknown.get("RateLimit", "").partition("t=")[0]
        )
        assert ("Retry-After" in known) == ("Retry-After" in unknown)


@pytest.mark.parametrize("about", ["login by address", "login by name"])
def test_both_are_locked_for_the_same_time(
    about: str, settings: Settings, time_machine: TimeMachineFixture
) -> None:
    settings.RATELIMIT_ENABLE = False
    # A Redis has a clock of its own.
    settings.CACHES = caches("")
    question = QUESTIONS[about]

    for minutes in (0, 0, 0, 0, 0, 1, 10, 18, 0.99, 0.02, 0):
        time_machine.shift(minutes * 60)
        known, unknown = question.ask(question.known), question.ask(question.unknown)

        assert told(known) == told(unknown)

    assert known.json()["code"] == "invalid_credentials"
    assert AuditLog.objects.filter(event_type="account_locked").count() == 2


@QUESTIONS_IDS
def test_both_cost_the_same_statements(question: Question, settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False

    for _ in range(3):
        known, unknown = (
            statements(question, question.known),
            statements(question, question.unknown),
        )

        assert known + collections.Counter(question.less_work) == unknown + collections.Counter(
            question.more_work
        )
        # From the second time on, whoever registers an unknown address meets it as a known one.
        question = dataclasses.replace(question, less_work={})


def statements(question: Question, about: str) -> collections.Counter[str]:
    with CaptureQueriesContext(connection) as captured:
        question.ask(about)
    return collections.Counter(sql.partition(" ")[0] for sql in queries(captured))


@QUESTIONS_IDS
def test_both_cost_the_same_hashes(question: Question, settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = False

    for _ in range(7):
        assert hashes(question, question.known) == hashes(question, question.unknown)


def hashes(question: Question, about: str) -> int:
    with (
        mock.patch.object(
            ServiceArgon2Hasher, "encode", autospec=True, side_effect=ServiceArgon2Hasher.encode
        ) as made,
        mock.patch.object(
            ServiceArgon2Hasher, "verify", autospec=True, side_effect=ServiceArgon2Hasher.verify
        ) as seen,
    ):
        question.ask(about)
    return made.call_count + seen.call_count


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"is_active": False},
        {"email_verified": False, "email_verified_at": None},
        {"password": make_password(None)},
        {"password": ""},
    ],
    ids=["well", "disabled", "unverified", "unusable", "blank"],
)
@pytest.mark.parametrize("password", ["Wrong-Horse-9", ""], ids=["wrong", "none"])
def test_whatever_state_an_account_is_in_a_wrong_password_is_answered_as_for_nobody(
    state: dict[str, Any], password: str, ruth: User
) -> None:
    User.objects.filter(pk=ruth.pk).update(**state)
    question = Question("login", lambda about: {"email": about, "password": password})

    assert hashes(question, KNOWN) == hashes(question, UNKNOWN) == (1 if password else 0)
    assert told(question.ask(KNOWN), but=THEIR_OWN | {"RateLimit"}) == told(
        question.ask(UNKNOWN), but=THEIR_OWN | {"RateLimit"}
    )


class Inline:
    """Does at once, in the request, what a thread would do after it."""

    def submit(self, function: Callable[..., None], *arguments: Any) -> None:
        function(*arguments)


FAULTS: dict[str, dict[str, Any]] = {
    "mail": {"EMAIL_BACKEND": "authentication.tests.flows.test_no_enumeration.BrokenMail"},
    "broker": {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0"},
    "breach": {"HIBP_ENABLED": True, "HIBP_API_URL": "http://127.0.0.1:1"},
}


class BrokenMail:
    """A mail server that takes nothing."""

    def __init__(self, **_: Any) -> None:
        raise ConnectionRefusedError


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing hide in a thread; what is put off for later does not happen."""
    monkeypatch.setattr(transaction, "on_commit", lambda function: function())
    monkeypatch.setattr(background, "_pool", Inline())
    monkeypatch.setattr(background, "_broker", Breaker())
    monkeypatch.setattr(background, "connections", mock.Mock())
    monkeypatch.setattr(background, "_retry", lambda *_: None)


def break_down(fault: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FAULTS[fault].items():
        setattr(settings, name, value)
    # Celery reads its settings once.
    app = Celery("broken", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    monkeypatch.setattr(background, "current_app", app)


@QUESTIONS_IDS
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_part_changes_no_answer(
    question: Question,
    fault: str,
    inline: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.RATELIMIT_ENABLE = False
    well = told(question.ask(question.known))
    break_down(fault, settings, monkeypatch)

    known, unknown = question.ask(question.known), question.ask(question.unknown)

    assert told(known) == told(unknown) == well


def test_mail_that_could_not_be_sent_is_kept_for_both(inline: None, settings: Settings) -> None:
    settings.EMAIL_BACKEND = FAULTS["mail"]["EMAIL_BACKEND"]

    QUESTIONS["register"].ask(KNOWN)
    QUESTIONS["register"].ask(UNKNOWN)

    kept = OutgoingEmail.objects.filter(status="queued", last_error="ConnectionRefusedError")
    assert set(kept.values_list("kind", flat=True)) == {"account_exists", "verification"}


def register(email: str, username: str) -> Any:
    return APIClient().post(
        f"{API}/register/", {"email": email, "password": PASSWORD, "username": username}
    )


class TestRegisteringTakenAddresses:
    def test_the_owner_alone_is_told(self) -> None:
        answer = QUESTIONS["register"].ask(KNOWN)

        assert answer.status_code == 201
        assert OutgoingEmail.objects.get().kind == "account_exists"
        assert User.objects.count() == 1

    @pytest.mark.parametrize(
        "spelled", [str, str.upper, lambda name: f"\uff4e{name[1:]}"], ids=["same", "upper", "wide"]
    )
    def test_the_name_asked_for_is_gone_as_if_it_had_been_given(
        self, spelled: Callable[[str], str], settings: Settings
    ) -> None:
        settings.RATELIMIT_ENABLE = False
        register(KNOWN, "naomi")
        register(UNKNOWN, "nahum")

        held, taken = (register("new@example.org", spelled(name)) for name in ("naomi", "nahum"))

        assert (held.status_code, held.json()["errors"]) == (
            400,
            {"username": ["This username is taken."]},
        )
        assert told(held) == told(taken)

    def test_a_member_cannot_take_the_name_either(
        self, api: APIClient, signed_in: dict[str, Any]
    ) -> None:
        register(KNOWN, "naomi")
        register(UNKNOWN, "nahum")

        held, taken = (
            api.patch(ME, {"username": name}, headers=bearer(signed_in["access"]))
            for name in ("naomi", "nahum")
        )

        assert held.status_code == 400
        assert told(held) == told(taken)

    def test_a_name_that_was_taken_before_is_refused_for_both(self, settings: Settings) -> None:
        settings.RATELIMIT_ENABLE = False

        known, unknown = register(KNOWN, KNOWN_NAME.upper()), register(UNKNOWN, KNOWN_NAME.upper())

        assert known.status_code == 400
        assert told(known) == told(unknown)

    def test_it_is_a_400_on_the_address_where_the_settings_say_so(self, settings: Settings) -> None:
        settings.PREVENT_EMAIL_ENUMERATION = False

        answer = QUESTIONS["register"].ask(KNOWN.upper())

        assert answer.status_code == 400
        assert answer.json()["errors"] == {
            "email": ["There is already an account with this email address."]
        }
