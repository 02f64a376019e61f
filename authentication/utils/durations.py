"""How long a wait is, in words."""

import math

from django.utils.translation import ngettext

_HOUR, _MINUTE = 3600, 60


def duration(seconds: int) -> str:
    """Return a wait such as "12 minutes", rounded up; words.js says it in the same way."""
    if seconds > 1.5 * _HOUR:
        hours = math.ceil(seconds / _HOUR)
        return ngettext("{count} hour", "{count} hours", hours).format(count=hours)
    if seconds > 1.5 * _MINUTE:
        minutes = math.ceil(seconds / _MINUTE)
        return ngettext("{count} minute", "{count} minutes", minutes).format(count=minutes)
    return ngettext("{count} second", "{count} seconds", seconds).format(count=seconds)
