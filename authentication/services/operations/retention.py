"""Retention: rows that are no longer needed are deleted."""

import dataclasses
import datetime as dt
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import F, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from authentication.models import (
    AccountExport,
    ActionToken,
    BulkAction,
    EmailChange,
    EmailVerificationToken,
    FailedTask,
    HourlyCount,
    Invitation,
    KnownDevice,
    OutgoingEmail,
    PasswordHistory,
    PasswordResetToken,
    RecoveryCode,
    SecondFactorRemoval,
    SensitiveChange,
    SignInChallenge,
    TokenBlacklist,
    User,
    UsernameHold,
    UserSession,
)
from authentication.services.accounts import OutOfTimeError, erase_each
from authentication.services.background import enqueue

from .retention_of_audit import delete_failures, delete_seals, old_audit, surplus_failures
from .retention_of_places import forgotten_countries, hidden_places, hide_places

BATCH = 2_000
# Long enough for a question about a link or a mail.
_KEPT = dt.timedelta(days=30)
_EXPORT_KEPT = dt.timedelta(hours=48)
_COUNTS_KEPT = dt.timedelta(days=400)  # to compare with the year before; no personal data
# A script without its device's id makes a device each time.
_DEVICES_PER_ACCOUNT = 50

Rows = QuerySet[Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """Which rows are due at a time, and what is done with a batch of them: by default, delete.

    `act` gets a deadline, of the clock `time.monotonic`. `counts` names the column that says how
    many rows a row stands for.
    """

    due: Callable[[dt.datetime], Rows]
    act: Callable[[Rows, float], int] = lambda rows, _: rows.delete()[0]
    batch: int | None = None
    counts: str = ""

    def count(self, rows: Rows) -> int:
        """Return how many rows there are."""
        return (rows.aggregate(sum=Sum(self.counts))["sum"] or 0) if self.counts else rows.count()


@dataclasses.dataclass(frozen=True, slots=True)
class Cleaned:
    """How many rows were handled, and whether none is left."""

    count: int
    finished: bool


class RetentionService:
    """Retention by rules; each batch is a transaction of its own, so that no lock lasts long."""

    @staticmethod
    def names() -> list[str]:
        """Return the names of the rules."""
        return list(_RULES)

    @staticmethod
    def count(name: str) -> int:
        """Return how many rows are due under a rule now."""
        return sum(rule.count(rule.due(timezone.now())) for rule in _RULES[name])

    @staticmethod
    def clean(
        name: str, *, seconds: float | None = None, on_batch: Callable[[int], None] = lambda _: None
    ) -> Cleaned:
        """Carry out a rule for at most so many seconds; `on_batch` gets the size of each batch."""
        now, deadline, total = timezone.now(), time.monotonic() + (seconds or 1e9), 0
        for rule in _RULES[name]:
            due = rule.due(now)
            while keys := list(due.values_list("pk", flat=True)[: rule.batch or BATCH]):
                batch = due.model.objects.filter(pk__in=keys)
                size = rule.count(batch) if rule.counts else len(keys)
                done = rule.act(batch, deadline)
                total += size
                on_batch(size)
                if not done or time.monotonic() > deadline:
                    return Cleaned(total, finished=not done)
        return Cleaned(total, finished=True)

    @staticmethod
    def clean_a_while(name: str, *, seconds: float) -> None:
        """Carry out a rule for so many seconds; another task does the rest."""
        if not RetentionService.clean(name, seconds=seconds).finished:
            enqueue("authentication.tasks.clean", name)


def _expired_sessions(now: dt.datetime) -> Rows:
    return UserSession.objects.expired(at=now)


def _expire(rows: Any, _: float) -> int:
    return int(rows.expire(at=timezone.now()))


def _old_sessions(now: dt.datetime) -> Rows:
    return UserSession.objects.filter(
        is_active=False, expires_at__lte=now - settings.SESSION_RETENTION
    )


def _unused_devices(now: dt.datetime) -> Rows:
    return KnownDevice.objects.filter(last_used_at__lte=now - settings.DEVICE_COOKIE_AGE)


def _surplus_devices(now: dt.datetime) -> Rows:
    # Only accounts with a device of the last days can have become too many.
    recent = KnownDevice.objects.filter(last_used_at__gt=now - dt.timedelta(days=7))
    of_accounts = KnownDevice.objects.filter(user_id__in=recent.values("user_id"))
    ranked: Rows = of_accounts.annotate(rank=_newest_first("last_used_at"))
    return ranked.filter(rank__gt=_DEVICES_PER_ACCOUNT)


def _superseded_passwords(_: dt.datetime) -> Rows:
    ranked = PasswordHistory.objects.annotate(rank=_newest_first("created_at"))
    return ranked.filter(rank__gt=max(1, settings.PASSWORD_HISTORY_LIMIT))


def _newest_first(field: str) -> Window:
    order = [F(field).desc(), F("pk").desc()]
    return Window(RowNumber(), partition_by=F("user_id"), order_by=order)


def _unverified(now: dt.datetime) -> Rows:
    if not settings.UNVERIFIED_ACCOUNT_RETENTION:
        return User.objects.none()  # type: ignore[no-any-return]  # the manager is made at run time
    never: Rows = User.objects.erasable(at=now).filter(
        email_verified=False, last_login=None, is_staff=False
    )
    return never.filter(created_at__lte=now - settings.UNVERIFIED_ACCOUNT_RETENTION)


def _erase(rows: Rows, deadline: float) -> int:
    # Not a plain deletion: events in the audit log may name the account, and `erase` blanks them.
    try:
        return erase_each(rows.values_list("pk", flat=True), deadline=deadline)
    except OutOfTimeError:
        return 1


def _done_mails(now: dt.datetime) -> Rows:
    # A dead letter of months ago is of no use to its reader.
    done = [OutgoingEmail.Status.SENT, OutgoingEmail.Status.SUPPRESSED, OutgoingEmail.Status.DEAD]
    return OutgoingEmail.objects.filter(
        status__in=done, created_at__lte=now - settings.EMAIL_RETENTION
    )


_RULES: dict[str, tuple[Rule, ...]] = {
    "sessions": (
        Rule(_expired_sessions, _expire),
        Rule(_old_sessions),
        Rule(lambda now: Session.objects.filter(expire_date__lte=now)),
        Rule(_unused_devices),
        Rule(_surplus_devices),
        Rule(forgotten_countries),
    ),
    "tokens": (
        Rule(lambda now: EmailVerificationToken.objects.filter(expires_at__lte=now - _KEPT)),
        Rule(lambda now: PasswordResetToken.objects.filter(created_at__lte=now - _KEPT)),
        Rule(lambda now: ActionToken.objects.filter(expires_at__lte=now - _KEPT)),
        Rule(lambda now: Invitation.objects.filter(expires_at__lte=now - _KEPT)),
        Rule(lambda now: SignInChallenge.objects.filter(expires_at__lte=now)),
        Rule(lambda now: AccountExport.objects.filter(requested_at__lte=now - _EXPORT_KEPT)),
        Rule(lambda now: EmailChange.objects.filter(requested_at__lte=now - _KEPT)),
        Rule(lambda now: SecondFactorRemoval.objects.filter(ended_at__lte=now - _KEPT)),
        Rule(lambda now: SensitiveChange.objects.filter(made_at__lte=now - _KEPT)),
        Rule(lambda now: RecoveryCode.objects.filter(used_at__lte=now - _KEPT)),
    ),
    "blacklist": (Rule(lambda now: TokenBlacklist.objects.filter(expires_at__lte=now)),),
    "audit": (
        Rule(old_audit, delete_seals, batch=1, counts="events"),
        # Of the admin, in Django's own table.
        Rule(
            lambda now: LogEntry.objects.filter(action_time__lte=now - settings.AUDIT_LOG_RETENTION)
        ),
        Rule(lambda now: HourlyCount.objects.filter(hour__lte=now - _COUNTS_KEPT)),
        Rule(BulkAction.objects.outdated),
    ),
    "failures": (Rule(surplus_failures, delete_failures, batch=1, counts="failure_count"),),
    # Not scheduled: a change of password deletes its account's. For a lowered limit.
    "passwords": (Rule(_superseded_passwords),),
    # Not scheduled: it reads all sessions. For a lowered LOCATION_DETAIL.
    "places": (Rule(hidden_places, hide_places),),
    "deletions": (Rule(lambda now: User.objects.due_for_erasure(at=now), _erase),),
    "accounts": (
        Rule(_unverified, _erase),
        Rule(UsernameHold.objects.claimed_before),
        Rule(UsernameHold.objects.left_before),
    ),
    "mails": (
        Rule(_done_mails),
        Rule(lambda now: FailedTask.objects.filter(failed_at__lte=now - _KEPT)),
    ),
}
