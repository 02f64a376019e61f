"""Concurrent exports, address changes, deletions and restores."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connections, transaction
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django import Settings
from rest_framework.test import APIClient

from authentication.models import (
    AccountExport,
    ActionToken,
    AuditLog,
    EmailChange,
    FailedTask,
    User,
    UserSession,
)
from authentication.services import ExportService
from authentication.services.accounts.erasure import erase
from authentication.tests.clients import WRONG_PASSWORD, sign_in, use_access
from authentication.tests.conftest import API, bearer
from authentication.tests.erasing import erase_due
from authentication.tests.factories import PASSWORD, UserFactory
from authentication.tests.sealing import tamper

from .crowd import all_at_once, posts, statuses

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

HANDS, ROUNDS = 16, 5
DAY = dt.timedelta(days=1)


def link(person: User, action: str, **subject: str) -> str:
    return ActionToken.objects.issue(
        action, user_id=person.pk, at=timezone.now(), lifetime=DAY, **subject
    )


def test_concurrent_downloads_of_an_export_succeed_once(api: APIClient, person: User) -> None:
    tokens = sign_in(api, person)
    export = AccountExport.objects.create(user=person)
    ExportService.build(export.pk)
    token = link(person, "download_export", export=str(export.pk))

    answers = posts(
        HANDS,
        f"{API}/account/export/download/",
        lambda _: {"token": token},
        **bearer(tokens["access"]),
    )

    assert statuses(answers) == {200: 1, 400: HANDS - 1}
    assert AuditLog.objects.filter(event_type="export_downloaded").count() == 1


def test_a_copy_is_made_and_mailed_about_once(person: User) -> None:
    export = AccountExport.objects.create(user=person)

    all_at_once(*[lambda: ExportService.build(export.pk)] * 8)

    assert AccountExport.objects.exclude(ready_at=None).count() == 1


def test_concurrent_confirmations_change_the_address_once(person: User) -> None:
    change = EmailChange.objects.create(
        user=person, old_email=person.email, new_email="naomi@example.net"
    )
    token = link(person, "confirm_email", change=str(change.pk))

    answers = posts(HANDS, f"{API}/account/email/confirm/", lambda _: {"token": token})

    assert statuses(answers) == {200: 1, 400: HANDS - 1}
    assert AuditLog.objects.filter(event_type="email_changed").count() == 1


def test_one_address_goes_to_one_of_many_who_want_it() -> None:
    people = [UserFactory() for _ in range(8)]
    tokens = []
    for person in people:
        change = EmailChange.objects.create(
            user=person, old_email=person.email, new_email="naomi@example.net"
        )
        tokens.append(link(person, "confirm_email", change=str(change.pk)))

    answers = posts(8, f"{API}/account/email/confirm/", lambda number: {"token": tokens[number]})

    assert statuses(answers) == {200: 1, 400: 7}
    assert User.objects.filter(email_canonical="naomi@example.net").count() == 1


def test_concurrent_undo_and_confirm_keep_the_old_address() -> None:
    for _ in range(ROUNDS):
        person = UserFactory()
        old = person.email
        change = EmailChange.objects.create(user=person, old_email=old, new_email=f"new-{old}")
        confirm, undo = (
            link(person, it, change=str(change.pk)) for it in ("confirm_email", "undo_email")
        )

        all_at_once(
            partial(APIClient().post, f"{API}/account/email/confirm/", {"token": confirm}),
            partial(APIClient().post, f"{API}/account/email/undo/", {"token": undo}),
        )

        person.refresh_from_db()
        assert person.email == old


def test_deletion_concurrent_with_sign_ins_leaves_no_session(api: APIClient) -> None:
    for _ in range(ROUNDS):
        person = UserFactory()
        tokens = sign_in(api, person)
        body = {"email": person.email, "password": PASSWORD}
        acts: list[Callable[[], Any]] = [
            partial(APIClient().post, f"{API}/login/", body) for _ in range(3)
        ]
        acts.append(
            partial(APIClient().post, f"{API}/account/delete/", headers=bearer(tokens["access"]))
        )

        *entering, leaving = all_at_once(*acts)

        assert leaving.status_code == 200
        assert not UserSession.objects.filter(user=person, is_active=True).exists()
        assert [use_access(api, it.json()) for it in entering if it.status_code == 200].count(
            200
        ) == 0


def test_restore_concurrent_with_erasure_restores_fully_or_not_at_all(api: APIClient) -> None:
    for _ in range(ROUNDS):
        person = UserFactory()
        User.objects.filter(pk=person.pk).update(deletion_requested_at=timezone.now() - 15 * DAY)
        body = {"email": person.email, "password": PASSWORD, "restore": True}

        acts: list[Callable[[], Any]] = [
            partial(erase, person.pk),
            partial(APIClient().post, f"{API}/login/", body),
        ]

        erased, entering = all_at_once(*acts)

        left = User.objects.filter(pk=person.pk).first()
        assert (left is None) == erased
        assert (entering.status_code == 200) == (not erased)
        if left:
            assert (left.is_active, left.deletion_requested_at, left.erasure_key) == (
                True,
                None,
                "",
            )


def test_erasure_leaves_no_personal_data_in_redis(api: APIClient, settings: Settings) -> None:
    settings.RATELIMIT_ENABLE = True
    told: Any = {"REMOTE_ADDR": "203.0.113.77"}
    api.post(f"{API}/login/", {"email": "naomi@example.org", "password": PASSWORD}, **told)
    person = UserFactory(email="naomi@example.org", username="naomi")
    tokens = api.post(f"{API}/login/", {"email": person.email, "password": PASSWORD}, **told).json()
    api.post(f"{API}/account/delete/", headers=bearer(tokens["access"]), **told)
    User.objects.update(deletion_requested_at=timezone.now() - 15 * DAY)

    assert erase_due() == 1

    server = get_redis_connection("default")
    kept = b" ".join(key + b" " + (server.get(key) or b"") for key in server.scan_iter("vgf*"))
    for trace in (b"naomi", b"203.0.113.77", str(person.pk).encode(), person.pk.hex.encode()):
        assert trace not in kept


def test_concurrent_erasures_of_an_account_write_one_event() -> None:
    for _ in range(ROUNDS):
        person = UserFactory()
        User.objects.filter(pk=person.pk).update(deletion_requested_at=timezone.now() - 15 * DAY)
        tamper(AuditLog.objects.all())
        AuditLog.objects.bulk_create(AuditLog(user=person, event_type="login") for _ in range(300))

        erased = all_at_once(*[partial(erase, person.pk)] * 4)

        assert sorted(erased) == [False, False, False, True]
        assert AuditLog.objects.filter(event_type="account_erased").count() == 1
        assert not User.objects.filter(pk=person.pk).exists()


def test_a_failed_sign_in_that_meets_an_erasure_is_no_server_error(
    api: APIClient, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=person.pk).update(deletion_requested_at=timezone.now() - 15 * DAY)
    genuine = AuditLog.log_event
    erased: list[int] = []

    def erase_first(event_type: str, **fields: Any) -> AuditLog:
        if not erased:
            erased.append(0)
            erased[0] = in_a_thread(erase_due)
        return genuine(event_type, **fields)

    monkeypatch.setattr(AuditLog, "log_event", staticmethod(erase_first))
    body = {"email": person.email, "password": WRONG_PASSWORD}

    assert api.post(f"{API}/login/", body).status_code == 503
    assert erased == [1]
    assert api.post(f"{API}/login/", body).status_code == 401


def test_an_account_whose_row_is_locked_stops_no_other_erasure() -> None:
    people = [UserFactory() for _ in range(3)]
    User.objects.update(deletion_requested_at=timezone.now() - 15 * DAY)
    held = people[0]
    with transaction.atomic():
        User.objects.lock_row(held.pk)

        in_a_thread(erase_due)

    assert [*User.objects.all()] == [held]
    assert {tuple(it.arguments) for it in FailedTask.objects.all()} == {(str(held.pk),)}


def in_a_thread(act: Callable[[], int]) -> int:
    """Return what a function returns in a thread, with a connection of its own."""

    def closing() -> int:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(closing).result()
