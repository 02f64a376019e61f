"""Times across replicas: their clocks differ by some seconds, and a clock may be set back.

A time that is written does not lie before one that it must follow (`not_before`, `after`). A time
that another replica may have written is compared with `LEEWAY`.
"""

import datetime as dt

from django.conf import settings

LEEWAY: dt.timedelta = settings.SIMPLE_JWT["LEEWAY"]
_TICK = dt.timedelta(microseconds=1)


def not_before(at: dt.datetime, *earlier: dt.datetime | None) -> dt.datetime:
    """Return a time to write: `at`, or the latest of the times that it must not precede."""
    return max([at, *(it for it in earlier if it is not None)])


def after(at: dt.datetime, *earlier: dt.datetime | None) -> dt.datetime:
    """Return a time to write that is later than the others: `at`, or just after the latest."""
    latest = max([it for it in earlier if it is not None], default=None)
    return at if latest is None or at > latest else latest + _TICK
