"""Breach check of passwords, without revealing them."""

import datetime as dt
import hashlib
import hmac
import unicodedata
import uuid

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authentication.models import User
from authentication.services.audit import Event, Risk, record
from authentication.services.background import enqueue
from authentication.services.mail import EmailService, Kind
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import new_jti, pseudonym, pseudonyms
from authentication.utils.pwned import breached_suffixes

TASK = "authentication.tasks.check_breach"


def queue_breach_check(user: User, password: str) -> None:
    """Queue the breach check of a password, to start after the commit.

    The task gets the five characters that the API needs, and a salted HMAC of the whole SHA-1:
    without SECRET_KEY the password cannot be guessed from them.
    """
    if settings.HIBP_ENABLED:
        # In the form that is hashed: a breach list holds what people typed elsewhere, mostly NFC.
        stored = unicodedata.normalize("NFC", password)
        sha1 = hashlib.sha1(stored.encode(), usedforsecurity=False).hexdigest().upper()
        salt = new_jti()
        enqueue(
            TASK,
            str(user.pk),
            user.password_changed_at.isoformat(),
            sha1[:5],
            salt,
            pseudonym(f"breach.{salt}", sha1),
        )


def check_breach(*, user_id: str, changed_at: str, prefix: str, salt: str, mac: str) -> None:
    """Flag the account if its password is known from a breach and has not been changed since.

    Raises utils.pwned.Unavailable if the API fails.
    """
    suffixes = breached_suffixes(prefix)
    # The web process may have a newer key than this one, or an older.
    known = (it for suffix in suffixes for it in pseudonyms(f"breach.{salt}", prefix + suffix))
    if not any(hmac.compare_digest(it, mac) for it in known):
        return
    owner, since = uuid.UUID(user_id), dt.datetime.fromisoformat(changed_at)
    with transaction.atomic():
        if User.objects.flag_breached(owner, changed_at=since, at=timezone.now()):
            record(Event.PASSWORD_BREACHED, user_id=owner, client=ClientInfo(), risk=Risk.HIGH)
            EmailService.queue(Kind.BREACHED_PASSWORD, user_id=owner)
