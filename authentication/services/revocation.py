"""Revocation: ending all sessions of an account, or of all, those of the admin included."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from django.db import transaction
from django.utils import timezone

from authentication.models import (
    AccountExport,
    ActionToken,
    EmailChange,
    EmailVerificationToken,
    KnownDevice,
    PasswordResetToken,
    SignInChallenge,
    User,
    UserSession,
)

_BATCH = 1_000
_Action = ActionToken.Action
# These open something or hand something out. The others (undo, "this was not me", keep my second
# factor) only take back or stop, and protect the owner: they live on.
_VOIDED_ACTIONS = (_Action.CONFIRM_EMAIL, _Action.DOWNLOAD_EXPORT)


def end_all_sessions(user: User, *, reason: str, at: dt.datetime) -> int:
    """End every session of an account; return how many of the API's ended.

    The admin's sessions (Django's) end at their next request. Call it under the lock of the
    account's row (services/acting.py).
    """
    end_admin_sessions(user)
    ended: int = UserSession.objects.filter(user_id=user.pk).end(reason=reason, at=at)
    return ended


def end_admin_sessions(user: User) -> None:
    """End an account's sessions of the admin, at their next request."""
    User.objects.filter(pk=user.pk).end_admin_sessions()


def void_links(user: User, *, at: dt.datetime) -> None:
    """Void the mailed links that let their holder in, move an address or hand out data.

    So are sign-ins that wait for a code, and a pending change of address. Links that take back or
    stop something stay valid. Call it under the lock of the account's row.
    """
    for tokens in _open_links():
        tokens.void(user.pk)
    void_exports(user.pk)
    EmailChange.objects.cancel(user.pk, at=at)


def void_exports(user_id: uuid.UUID) -> None:
    """Delete the copies of an account's data, those being made included, and void their links."""
    ActionToken.objects.of(_Action.DOWNLOAD_EXPORT).void(user_id)
    AccountExport.objects.filter(user_id=user_id).delete()


def count_of_everybody(*, at: dt.datetime) -> int:
    """Return how many rows `revoke_everybody` would change now."""
    return sum(rows.count() for rows, _ in _steps(reason="", at=at))


def revoke_everybody(*, reason: str, on_batch: Callable[[int], None]) -> int:
    """End every session, void the links of `void_links` and forget the devices, of every account.

    Each batch of a thousand rows is a transaction, so it can be stopped and run again. Returns how
    many sessions ended. Only staff have sessions of the admin, so one statement on few rows ends
    these.
    """
    User.objects.filter(is_staff=True).end_admin_sessions()
    ended = 0
    for rows, act in _steps(reason=reason, at=timezone.now()):
        for keys in _batches(rows):
            with transaction.atomic():
                done = act(rows.model.objects.filter(pk__in=keys))
            ended += done if rows.model is UserSession else 0
            on_batch(len(keys))
    return ended


def _steps(*, reason: str, at: dt.datetime) -> list[tuple[Any, Callable[[Any], int]]]:
    """Return the rows of each table, and what is done with a batch of them.

    Devices first: a sign-in meanwhile is to be reported.
    """
    return [
        (KnownDevice.objects.all(), lambda rows: rows.delete()[0]),
        (
            UserSession.objects.filter(is_active=True),
            lambda rows: rows.end(reason=reason, at=timezone.now()),
        ),
        *((tokens, lambda rows: rows.update(voided_at=at)) for tokens in _open_links()),
        (AccountExport.objects.all(), lambda rows: rows.delete()[0]),
        (EmailChange.objects.pending(at=at), lambda rows: rows.update(undone_at=at)),
    ]


def _open_links() -> list[Any]:
    return [
        EmailVerificationToken.objects.unused(),
        PasswordResetToken.objects.unused(),
        SignInChallenge.objects.unused(),
        ActionToken.objects.unused().filter(action__in=_VOIDED_ACTIONS),
    ]


def _batches(rows: Any) -> Iterator[list[Any]]:
    """Yield keys in their order: one that begins anew each time would meet all dead rows again.

    Passes are repeated until one finds nothing, since rows may come meanwhile with smaller keys.
    """
    last: Any = None
    while True:
        ordered = rows.order_by("pk").values_list("pk", flat=True)
        keys = list((ordered.filter(pk__gt=last) if last is not None else ordered)[:_BATCH])
        if keys:
            yield keys
        elif last is None:
            return
        last = keys[-1] if keys else None
