"""Answers do not tell whether a name has an account while a dependency is down."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from celery import Celery
from django.db import transaction
from pytest_django import Settings

from authentication.models import OutgoingEmail
from authentication.services.background import queue as background
from authentication.tests.clients import NOON
from authentication.utils.faults import Breaker

from .questions import KNOWN, QUESTIONS, UNKNOWN, Question, for_every_question, visible

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.security,
    pytest.mark.time_machine(NOON, tick=False),
    pytest.mark.usefixtures("ruth"),
]


class InlinePool:
    """Runs at once what a thread would run after the answer."""

    def submit(self, function: Callable[..., None], *arguments: Any) -> None:
        function(*arguments)


class BrokenMail:
    """A mail server that refuses connections."""

    def __init__(self, **_: Any) -> None:
        raise ConnectionRefusedError


FAULTS: dict[str, dict[str, Any]] = {
    "mail": {"EMAIL_BACKEND": f"{__name__}.BrokenMail"},
    "broker": {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0"},
    "breach": {"HIBP_ENABLED": True, "HIBP_API_URL": "http://127.0.0.1:1"},
}


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run background tasks within the request, and no retries."""
    monkeypatch.setattr(transaction, "on_commit", lambda function: function())
    monkeypatch.setattr(background, "_pool", InlinePool())
    monkeypatch.setattr(background, "_broker", Breaker())
    monkeypatch.setattr(background, "connections", mock.Mock())
    monkeypatch.setattr(background, "_retry", lambda *_: None)


def break_down(fault: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FAULTS[fault].items():
        setattr(settings, name, value)
    # Celery reads its settings only once.
    app = Celery("broken", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    monkeypatch.setattr(background, "current_app", app)


@for_every_question
@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_dependency_changes_no_answer(
    question: Question,
    fault: str,
    inline: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.RATELIMIT_ENABLE = False
    before = visible(question.ask(question.known))
    break_down(fault, settings, monkeypatch)

    known, unknown = question.ask(question.known), question.ask(question.unknown)

    assert visible(known) == visible(unknown) == before


def test_unsent_mails_to_both_are_kept(inline: None, settings: Settings) -> None:
    settings.EMAIL_BACKEND = FAULTS["mail"]["EMAIL_BACKEND"]

    QUESTIONS["register"].ask(KNOWN)
    QUESTIONS["register"].ask(UNKNOWN)

    kept = OutgoingEmail.objects.filter(status="queued", last_error="ConnectionRefusedError")
    assert set(kept.values_list("kind", flat=True)) == {"account_exists", "verification"}
