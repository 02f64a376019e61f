"""Bulk actions in tests: asked about, started, carried out, interrupted."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from authentication.models import User
from authentication.services.admin_pages import BULK_ACTIONS, BulkActionService
from authentication.tests.erasing import GRACE, erase_due
from authentication.tests.factories import UserFactory

from .staff import REASON

EDITOR = ("view_user", "change_user", "add_bulkaction")


def people(count: int) -> list[User]:
    return [UserFactory(first_name="Ruth", last_name=f"Moab{number}") for number in range(count)]


def start(client: Client, question: Any, **given: str) -> Any:
    """Press the button of the page that asks."""
    return client.post(question.context["urls"]["start"], {"reason": REASON, **given}, follow=True)


def carry_out(question: Any, seconds: float = 60) -> None:
    BulkActionService.carry_out(str(question.context["bulk"].pk), seconds=seconds)


def disabled(found: list[User]) -> int:
    return int(User.objects.filter(pk__in=[it.pk for it in found], is_active=False).count())


def after_the_second(monkeypatch: pytest.MonkeyPatch, event: Callable[[], object]) -> None:
    """Let something happen after the second person."""
    action, calls = BULK_ACTIONS["disable"], []

    def act(*args: Any, **kwargs: Any) -> None:
        calls.append(args)
        action.act(*args, **kwargs)
        if len(calls) == 2:
            event()

    monkeypatch.setitem(BULK_ACTIONS, "disable", dataclasses.replace(action, act=act))


def erase(user: User) -> None:
    User.objects.filter(pk=user.pk).update(deletion_requested_at=timezone.now() - 2 * GRACE)
    assert erase_due() == 1
