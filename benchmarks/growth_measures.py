"""Script that makes one measure of growth and prints it; run with the service's settings."""

import collections
import datetime as dt
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from authentication.management.generated_rows import options_of

from .growth_rows import CROWDED, ERASED

Measure = tuple[float, str]
_NETWORKS, _A_DAY = 14_400, 100 * 86_400
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def main(name: str) -> None:
    """Make the measure and print its figure and what it was made of."""
    django.setup()
    figure, detail = globals()[name]()
    json.dump({"figure": figure, "detail": detail}, sys.stdout)


def erase() -> Measure:
    """Erase an account with 24,000 events.

    The figure is the 95th percentile of the slowest kind of statement: one of hundreds also waits
    for whatever else the machine does.
    """
    from authentication.services.accounts import erase_each

    kinds, started = collections.defaultdict[str, list[float]](list), time.monotonic()

    def timed(execute: Any, statement: str, *arguments: Any) -> Any:
        begun = time.monotonic()
        try:
            return execute(statement, *arguments)
        finally:
            kinds[statement].append(1000 * (time.monotonic() - begun))

    with connection.execute_wrapper(timed):
        erase_each([_user(ERASED).pk])
    figure = max(sorted(times)[int(0.95 * (len(times) - 1))] for times in kinds.values())
    longest = max(map(max, kinds.values()))
    return figure, f"{time.monotonic() - started:.1f} s in all, the longest {longest:.0f} ms"


def build_export() -> Measure:
    """Make the copy of a person's data."""
    from authentication.models import AccountExport
    from authentication.services.accounts import ExportService

    started, before = time.monotonic(), _peak()
    export = AccountExport.objects.create(user=_user(CROWDED))
    ExportService.build(export.pk)
    export.refresh_from_db()
    seconds = time.monotonic() - started
    return _peak(), f"from {before:.0f} MiB, {export.parts} parts in {seconds:.0f} s"


def read_export() -> Measure:
    """Read the copy as a download does."""
    from authentication.models import AccountExport
    from authentication.services.accounts.export_parts import ExportReader

    started, before, size = time.monotonic(), _peak(), 0
    reader = ExportReader(AccountExport.objects.get())
    while piece := reader.read(64 * 1024):
        size += len(piece)
    seconds = time.monotonic() - started
    return _peak(), f"from {before:.0f} MiB, {size / 2**20:.0f} MiB of JSON in {seconds:.0f} s"


def export_log() -> Measure:
    """Export the newer half of the log."""
    started, before = time.monotonic(), _peak()
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        output, sys.stdout = sys.stdout, nowhere
        try:
            since = timezone.now() - dt.timedelta(seconds=1.5 * _rows() / 2)
            call_command("export_audit_log", since=since.isoformat())
        finally:
            sys.stdout = output
    return _peak(), f"from {before:.0f} MiB, in {time.monotonic() - started:.0f} s"


def failures() -> Measure:
    """Fail by made-up names and at a locked one; count what a day of it leaves."""
    from authentication.models import AuditLog
    from authentication.services.operations.retention_of_audit import _FAILURES_WITHOUT_ACCOUNT
    from authentication.services.sign_in.failures import record_failure, record_refusal

    tries, before = 20_000, _size(AuditLog)
    for number in range(tries):
        record_failure(None, f"name{number}@example.org", _client(number), reason="credentials")
    each = (_size(AuditLog) - before) / tries
    refused = AuditLog.objects.count()
    for _ in range(600):
        record_refusal(None, "name0@example.org", _client(1))
    of_network = AuditLog.objects.count() - refused
    kept = _FAILURES_WITHOUT_ACCOUNT + 100 * 300 + of_network * _NETWORKS
    detail = f"{each:.0f} bytes a row; {of_network} rows for 600 refusals of a network; {kept} rows"
    return each * kept / 1e6, detail


def names() -> Measure:
    """Count names and refusals in the cache; add up what lives at once in a day of it."""
    from authentication.services.sign_in.counters import _NAME_MEMORY_SECONDS, count_refusal
    from authentication.services.sign_in.login_attempts import reserve_attempt

    redis: Any = caches["default"].client.get_client()  # type: ignore[attr-defined]  # django-redis
    before, tries = redis.info("memory")["used_memory"], 20_000
    for number in range(tries):
        reserve_attempt(None, f"name{number}@example.org", devices=[])
        count_refusal(_client(number))
    each = (redis.info("memory")["used_memory"] - before) / (tries + min(tries, _NETWORKS))
    alive = _A_DAY / 86_400 * _NAME_MEMORY_SECONDS + _NETWORKS
    return each * alive / 1e6, f"{each:.0f} bytes a key; {alive:.0f} keys"


def refreshes() -> Measure:
    """Refresh for three days; add up a year of 10,000 people who refresh 96 times a day."""
    import time_machine

    from authentication.models import AuditLog, TokenBlacklist, User, UserSession
    from authentication.services.sessions import TokenService

    start, people, before = timezone.now(), 20, _size(TokenBlacklist)
    rows = AuditLog.objects.count()
    for user in User.objects.filter(email__startswith="person")[:people]:
        session = UserSession(user=user, remember_me=True, created_at=start, last_rotation_at=start)
        session.expires_at = session.next_expiry(at=start)
        session.save()
        token = TokenService.issue(session, at=start).refresh
        for number in range(1, 3 * 96 + 1):
            with time_machine.travel(start + dt.timedelta(minutes=15 * number), tick=False):
                token = TokenService.rotate(refresh=token, client=_client(1)).refresh
    written, revoked = AuditLog.objects.count() - rows, people * 3 * 96
    event = _size(AuditLog) / _rows()
    token_bytes = (_size(TokenBlacklist) - before) / revoked
    a_day = written / people / 3
    year = 10_000 * (a_day * 365 * event + 96 * 14 * token_bytes) / 1e9
    detail = (
        f"{a_day:.1f} events a person and day of {event:.0f} bytes, kept a year;"
        f" 96 revoked tokens of {token_bytes:.0f} bytes, kept 14 days"
    )
    return year, detail


def activity() -> Measure:
    """Read the first page of the activity of a person whose newest events are hidden."""
    from authentication.services.accounts import ActivityService

    user, times = _user(CROWDED), []
    for _ in range(5):
        started = time.monotonic()
        list(ActivityService.events_of(user_id=user.pk).order_by("-timestamp", "-pk")[:20])
        times.append(time.monotonic() - started)
    return 1000 * sorted(times)[2], "the median of five"


def _user(email: str) -> Any:
    from authentication.models import User

    return User.objects.get(email=email)


def _client(number: int) -> Any:
    from authentication.utils.client import ClientInfo

    third, fourth = divmod(number % _NETWORKS, 200)
    address = f"198.18.{third}.{fourth + 1}"
    return ClientInfo(ip_address=address, user_agent=_AGENT, correlation_id="0" * 32)


def _rows() -> int:
    from authentication.models import AuditLog

    with connection.cursor() as cursor:
        table = options_of(AuditLog).db_table
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [table])
        return int(cursor.fetchone()[0])


def _size(model: Any) -> int:
    """Return the bytes of a table and its indexes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s)", [options_of(model).db_table])
        return int(cursor.fetchone()[0])


def _peak() -> float:
    """Return the most memory that the process had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1])
