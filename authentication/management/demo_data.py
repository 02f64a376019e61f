"""Made-up users, to try the service with."""

import datetime as dt
import random
import uuid
from collections.abc import Callable

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from authentication.models import AuditLog, User, UserProfile, UserSession
from authentication.utils.identifiers import canonical_email, canonical_username

from .demo_names import FIRST, LAST

BATCH = 500
DEVICES = (
    ("iPhone", "mobile", "Safari 18", "iOS 18"),
    ("Chrome on Linux", "desktop", "Chrome 131", "Linux"),
    ("Edge on Windows 11", "desktop", "Edge 131", "Windows 11"),
    ("Chrome on Pixel 9", "mobile", "Chrome 131", "Android 15"),
)
_EVENTS = (
    "login",
    "login",
    "login",
    "login_failed",
    "logout",
    "profile_updated",
    "password_change",
)


def seed_demo_users(
    count: int, *, password: str, on_batch: Callable[[int], None] = lambda _: None
) -> int:
    """Create users with a password, sessions and events; return how many.

    Their addresses are under example.org, where no mail arrives (RFC 2606).
    """
    # One hash for all of them: a hash each would take a third of a second.
    hashed, made = make_password(password), 0
    chance = random.Random(7)  # noqa: S311 -- no secret depends on it
    while made < count:
        size = min(BATCH, count - made)
        with transaction.atomic():
            _create([_user(hashed, chance) for _ in range(size)], chance)
        made += size
        on_batch(size)
    return made


def _user(hashed: str, chance: random.Random) -> User:
    now, mark = timezone.now(), uuid.uuid4().hex[:12]
    joined = now - dt.timedelta(days=chance.randint(1, 700))
    email, username = f"demo-{mark}@example.org", f"demo-{mark}"
    return User(
        email=email,
        email_canonical=canonical_email(email),
        username=username,
        username_canonical=canonical_username(username),
        password=hashed,
        first_name=chance.choice(FIRST),
        last_name=chance.choice(LAST),
        email_verified=True,
        email_verified_at=joined,
        password_changed_at=joined,
        created_at=joined,
        last_login=now - dt.timedelta(hours=chance.randint(1, 400)),
    )


def _create(users: list[User], chance: random.Random) -> None:
    User.objects.bulk_create(users)
    UserProfile.objects.bulk_create(UserProfile(user=user) for user in users)
    UserSession.objects.bulk_create(
        _session(user, chance) for user in users for _ in range(chance.randint(1, 3))
    )
    AuditLog.objects.bulk_create(
        _event(user, chance) for user in users for _ in range(chance.randint(3, 12))
    )


def _session(user: User, chance: random.Random) -> UserSession:
    now = timezone.now()
    started = now - dt.timedelta(hours=chance.randint(1, 150))
    name, kind, browser, system = chance.choice(DEVICES)
    return UserSession(
        user=user,
        device_name=name,
        device_type=kind,
        browser=browser,
        operating_system=system,
        ip_address=f"198.51.100.{chance.randint(1, 254)}",
        country=chance.choice(("DE", "DE", "DE", "AT", "GB", "")),
        created_at=started,
        last_activity_at=started,
        last_rotation_at=started,
        expires_at=now + dt.timedelta(days=chance.randint(1, 6)),
    )


def _event(user: User, chance: random.Random) -> AuditLog:
    event = chance.choice(_EVENTS)
    return AuditLog(
        user=user,
        event_type=event,
        success=event != "login_failed",
        risk_level="medium" if event in {"login_failed", "password_change"} else "low",
        ip_address=f"198.51.100.{chance.randint(1, 254)}",
        timestamp=timezone.now() - dt.timedelta(minutes=chance.randint(1, 300_000)),
    )
