"""People found by what staff know of them. Each question is a short read of an index."""

import datetime as dt
import re
import unicodedata
import uuid
from collections.abc import Iterator
from typing import Any

from django.db.models import Max, QuerySet

from authentication.models import AuditLog, LockReason, OutgoingEmail, User, UserSession
from authentication.utils.client import parse_ip
from authentication.utils.identifiers import canonical_identifier

_LONGEST = 254
_EVENTS_READ = 1_000
# As clients may send them, but longer than most names.
_CORRELATION = re.compile(r"[A-Za-z0-9._-]{16,64}")
_GMAIL = ("gmail.com", "googlemail.com")


def find_people(text: str, *, limit: int) -> list[User]:
    """Return at most so many accounts that a text means, the surest first.

    The text may be an address or a username, whole or its beginning, words that a name begins with,
    the id of an account, the id of a request, or the IP address of a device.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    found: dict[uuid.UUID, User] = {}
    if not text.isprintable() or not 0 < len(text) <= _LONGEST:
        return []
    for people in _questions(text):
        for user in people[:limit]:
            found.setdefault(user.pk, user)
        if len(found) >= limit:
            break
    return list(found.values())[:limit]


def locked_people(*, at: dt.datetime, limit: int) -> list[User]:
    """Return accounts that wrong passwords have locked, those first that stay locked longest."""
    locked = User.objects.filter(lock_reason=LockReason.GUESSED, locked_until__gt=at)
    return list(locked.order_by("-locked_until")[:limit])


def last_seen_of(users: list[User]) -> dict[uuid.UUID, dt.datetime | None]:
    """Return when each account was last used, in one query."""
    sessions = UserSession.objects.filter(user__in=[user.pk for user in users]).order_by()
    seen = dict(sessions.values_list("user_id").annotate(at=Max("last_activity_at")))
    return {
        user.pk: max(filter(None, (seen.get(user.pk), user.last_login)), default=None)
        for user in users
    }


def _questions(text: str) -> Iterator[QuerySet[Any]]:
    yield User.objects.identified_by(canonical_identifier(text))
    if address := parse_ip(text):
        yield _of_events(AuditLog.objects.filter(ip_address=str(address)).order_by("-timestamp"))
        return
    if _CORRELATION.fullmatch(text):
        yield from _of_ids(text)
    if " " not in text:
        for prefix in _prefixes(text.lower()):
            yield User.objects.filter(email_canonical__startswith=prefix)
    if "@" in text:
        return
    yield User.objects.with_names(text).order_by("-created_at")
    yield User.objects.filter(username_canonical__startswith=text.lower())


def _of_ids(text: str) -> Iterator[QuerySet[Any]]:
    names = {text}
    try:
        known = uuid.UUID(text)
    except ValueError:
        pass
    else:
        yield User.objects.filter(pk=known)
        names |= {known.hex, str(known)}
    # The condition lets the index serve that leaves refreshes out.
    yield _of_events(AuditLog.objects.shown().filter(correlation_id__in=names))
    mails = OutgoingEmail.objects.filter(correlation_id__in=names).exclude(correlation_id="")
    yield User.objects.filter(pk__in=list(mails.values_list("user_id", flat=True)[:_EVENTS_READ]))


def _of_events(events: QuerySet[AuditLog]) -> QuerySet[Any]:
    found = set(events.values_list("user_id", flat=True)[:_EVENTS_READ]) - {None}
    people: QuerySet[Any] = User.objects.filter(pk__in=found)
    return people


def _prefixes(text: str) -> list[str]:
    """Return how the canonical form of an address may begin that is typed in part."""
    local, at, domain = text.partition("@")
    if at and any(it.startswith(domain) for it in _GMAIL):
        # `g` may begin another domain as well, of which the local part is kept as it is.
        bare = local.partition("+")[0].replace(".", "")
        return list(dict.fromkeys((text, f"{bare}@{domain}", f"{bare}@gmail.com")))
    return [text]
