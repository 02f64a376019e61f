"""The count of a name, where requests cross each other."""

import pytest
from django.core.cache import caches
from pytest_django import Settings

from authentication.models import Attempt
from authentication.services.lockout import NameLedger
from vineyard_group_fellowship.settings.base import caches as caches_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def name(settings: Settings) -> NameLedger:
    settings.CACHES = caches_of("")
    caches["limits"].clear()
    return NameLedger("nobody@example.org")


def test_attempts_that_were_refused_leave_no_trace_when_the_last_one_is_taken_back(name: NameLedger) -> None:
    for _ in range(4):
        assert name.reserve() is Attempt.COUNTED
    assert name.reserve() is Attempt.LAST
    for _ in range(3):
        assert name.reserve() is Attempt.REFUSED

    name.take_back(Attempt.LAST)

    assert name.reserve() is Attempt.LAST
    assert name.reserve() is Attempt.REFUSED


def test_a_count_that_runs_out_between_two_steps_begins_anew(name: NameLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = caches["limits"]
    monkeypatch.setattr(type(cache), "add", lambda *_: False)

    name.take_back(Attempt.COUNTED)

    monkeypatch.undo()
    assert [name.reserve() for _ in range(5)] == [Attempt.COUNTED] * 4 + [Attempt.LAST]
