"""What waits for a person: a member of staff has to look at it."""

import dataclasses
import datetime as dt

from django.db.models import Count
from django.utils import timezone

from authentication.models import AuditLog, FailedTask, LockReason, SecondFactorRemoval, User

from .statistics import read_mails

Event = AuditLog.Event
STRANGERS_SHOWN = dt.timedelta(days=7)
MOST = 1_000
"""What is counted further would help nobody: the page says "1,000 or more"."""


_UNUSUAL = (
    Event.SESSION_DISOWNED,
    Event.IMPOSSIBLE_TRAVEL,
    Event.MANY_ACCOUNTS_TRIED,
    Event.MANY_ADDRESSES,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    """How many of each wait."""

    mails: int
    """Mails that wait to be sent."""
    dead_mails: int
    strangers: int
    """Accounts that reported a stranger's device within a week."""
    travels: int
    """Accounts that were used at places too far apart within a week."""
    sprayed: int
    """Addresses from which sign-ins to many accounts failed within a week."""
    spread: int
    """Accounts that devices at many addresses tried to sign in to within a week."""
    removals: int
    """Second factors that wait for a second member of staff."""
    tasks: int
    locked: int
    """Accounts that are locked now by wrong passwords."""


def read_waiting() -> Waiting:
    """Return what waits now. It takes five queries, each of few rows of an index."""
    now = timezone.now()
    mails = read_mails()
    since = now - STRANGERS_SHOWN
    unusual = _unusual(since)
    locked = User.objects.filter(lock_reason=LockReason.GUESSED, locked_until__gt=now)
    return Waiting(
        mails=mails.get("queued", 0) + mails.get("sending", 0),
        dead_mails=mails.get("dead", 0),
        strangers=unusual.get(Event.SESSION_DISOWNED, (0, 0))[0],
        travels=unusual.get(Event.IMPOSSIBLE_TRAVEL, (0, 0))[0],
        sprayed=unusual.get(Event.MANY_ACCOUNTS_TRIED, (0, 0))[1],
        spread=unusual.get(Event.MANY_ADDRESSES, (0, 0))[0],
        removals=SecondFactorRemoval.objects.pending()[:MOST].count(),
        tasks=FailedTask.objects.filter(sent_again_at=None)[:MOST].count(),
        locked=locked[:MOST].count(),
    )


def _unusual(since: dt.datetime) -> dict[str, tuple[int, int]]:
    """Return how many accounts and addresses each type of event about unusual uses names.

    There is one event at most for a new country or a new device of an account, and there are 1,000
    a day at most about addresses.
    """
    events = AuditLog.objects.filter(event_type__in=_UNUSUAL, timestamp__gte=since).order_by()
    counted = events.values_list("event_type").annotate(
        accounts=Count("user_id", distinct=True), addresses=Count("ip_address", distinct=True)
    )
    return {event_type: (accounts, addresses) for event_type, accounts, addresses in counted}
