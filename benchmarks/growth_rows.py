"""Script that fills a database as years would; run with the service's settings."""

import datetime as dt
import sys
import time
from typing import Any

import django
from django.core.management import call_command
from django.db import connection

from authentication.management.generated_rows import insert_rows, without_indexes

PEOPLE = 100_000
# What the accounts of the measures are called, and how many events each has.
CROWDED, CROWDED_SHARE = "crowded@example.org", 20
ERASED, ERASED_EVENTS = "erased@example.org", 24_000


def main(rows: int) -> None:
    """Migrate and fill: a twentieth of the events are of one person, almost all of them hidden."""
    django.setup()
    from django.utils import timezone

    from authentication.models import AuditLog, TokenBlacklist, User, UserProfile

    started = time.monotonic()
    call_command("migrate", verbosity=0)
    now = timezone.now()
    crowded, erased, template = (
        User.objects.create_user(address, email_verified=True, email_verified_at=now)
        for address in (CROWDED, ERASED, "template@example.org")
    )
    long_ago = now - dt.timedelta(days=30)
    User.objects.filter(pk=erased.pk).update(deletion_requested_at=long_ago, is_active=False)
    for user in (crowded, erased):
        UserProfile.objects.create(user=user)
    copy(
        template,
        PEOPLE,
        id="gen_random_uuid()",
        email="'person' || n || '@example.org'",
        email_canonical="'person' || n || '@example.org'",
        username="'person' || n",
        username_canonical="'person' || n",
        username_skeleton="'person' || n",
    )
    event = AuditLog.log_event(
        "login",
        user=template,
        ip_address="203.0.113.5",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        correlation_id="0" * 32,
        metadata={"session": str(template.pk), "device": "Firefox on Linux"},
    )
    with without_indexes(AuditLog):
        fill_log(event, rows, crowded=crowded.pk, erased=erased.pk)
    revoked = TokenBlacklist.objects.create(jti="x", user=template, expires_at=now)
    later = "now() + n * interval '1 second'"
    copy(revoked, rows // 10, id="", jti="md5(n::text)", expires_at=later)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    sys.stderr.write(f"filled in {time.monotonic() - started:.0f} s\n")


def fill_log(event: Any, rows: int, *, crowded: Any, erased: Any) -> None:
    """Copy an event; a person's oldest tenth is shown to them, the rest are refreshes."""
    of_one = rows // CROWDED_SHARE
    uuid, moment = "gen_random_uuid()", "now() - n * interval '1.5 seconds'"
    hidden = f"CASE WHEN n < {of_one * 9 // 10} THEN 'token_refresh' ELSE 'login' END"
    columns = {"id": uuid, "timestamp": moment}
    copy(event, of_one, **columns, user_id=f"'{crowded}'::uuid", event_type=hidden)
    copy(event, ERASED_EVENTS, **columns, user_id=f"'{erased}'::uuid")
    # Nine in ten are of accounts, the others failures under names without one.
    someone = "(SELECT array_agg(id) FROM authentication_user)"
    copy(
        event,
        rows - of_one - ERASED_EVENTS,
        **columns,
        source=f"CROSS JOIN (SELECT {someone} AS ids) AS people",
        user_id=f"CASE WHEN mod(n, 10) > 0 THEN ids[1 + mod(n, {PEOPLE})] END",
        event_type="CASE WHEN mod(n, 10) > 0 THEN 'login' ELSE 'email_verification_failed' END",
    )


def copy(row: Any, rows: int, *, source: str = "", **changed: str) -> None:
    """Copy a row; `changed` are the columns that differ, as SQL of the number `n`; "" is left."""
    insert_rows(row, f"generate_series(1, {rows}) AS n {source}", **changed)


if __name__ == "__main__":
    main(int(sys.argv[1]))
