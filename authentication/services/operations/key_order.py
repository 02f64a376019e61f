"""The order of a key's rotation: every running process must know a key before one uses it."""

import json
import time
from collections.abc import Iterator

from django.core.cache import caches

from authentication.utils.keys import fingerprints

KEY = "keys-in-use"
MISSING_AFTER_SECONDS = 120
_INTERVAL_SECONDS = 10

_written_at: dict[str, float] = {}


def announce_keys() -> None:
    """Note which keys this process has, at most every ten seconds.

    Processes with the same keys share an entry. If two write at the same moment, one entry is lost
    until the next time. Raises one of FAULTS.
    """
    mine, now = json.dumps(fingerprints()), time.time()
    if now - _written_at.get(mine, 0) < _INTERVAL_SECONDS:
        return
    _written_at[mine] = now
    caches["default"].set(KEY, {**_announced(now), mine: now}, MISSING_AFTER_SECONDS)


def faults_of_key_order() -> Iterator[tuple[str, str]]:
    """Yield a setting and what is wrong with it: "ahead" or "dropped".

    "ahead": a running process does not know the first key here, and would refuse what it signs or
    encrypts. "dropped": a running process uses a key that is unknown here. Raises one of FAULTS.
    """
    here = fingerprints()
    running = [json.loads(it) for it in _announced(time.time())]
    for name, mine in here.items():
        if any(mine[0] not in its[name] for its in running):
            yield name, "ahead"
        if any(its[name][0] not in mine for its in running):
            yield name, "dropped"


def _announced(now: float) -> dict[str, float]:
    found: dict[str, float] = caches["default"].get(KEY) or {}
    return {keys: at for keys, at in found.items() if now - at < MISSING_AFTER_SECONDS}
