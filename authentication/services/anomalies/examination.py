"""Examines the new events of the audit log for unusual uses.

No request waits for it, and none takes longer for a name that has an account. Reports are events
and mails: nothing is refused.
"""

import datetime as dt
import time

from django.db import transaction
from django.utils import timezone

from authentication.models import ExaminedUntil

from .crowds import report_crowds
from .uses import examine_uses

# An event is visible only after its transaction, and clocks differ.
_SETTLED = dt.timedelta(minutes=2)
_STEP = dt.timedelta(minutes=2)
# After a longer stop the uses of the time before are not reported: it would be too late.
_OLDEST = dt.timedelta(days=2)


class AnomalyService:
    """Finds unusual uses of accounts."""

    @staticmethod
    def examine(*, seconds: float) -> None:
        """Examine the events since the last call, for at most so many seconds."""
        deadline, until = time.monotonic() + seconds, timezone.now() - _SETTLED
        mark = ExaminedUntil.objects.moment()
        if mark is None:
            # Where an account was used before is learnt from now on.
            ExaminedUntil.objects.begin(until)
            return
        while mark < until and time.monotonic() < deadline:
            since, to = max(mark, until - _OLDEST), min(max(mark, until - _OLDEST) + _STEP, until)
            # Before the mark moves: what a worker that dies has not reported, the next one does.
            examine_uses(since=since, to=to)
            with transaction.atomic():
                if not ExaminedUntil.objects.advance(since=mark, to=to):
                    return  # Another process examines.
                if to == until:
                    report_crowds(at=until)
            mark = to
