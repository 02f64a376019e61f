"""Template context of mails about devices: what they are, where they are, and a link."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.utils import timezone

from authentication.models import (
    ActionToken,
    AuditLog,
    KnownCountry,
    OutgoingEmail,
    User,
    UserSession,
)
from authentication.utils.device_words import spoken
from authentication.utils.devices import UNKNOWN, device_of
from authentication.utils.places import country_name, words_of, words_of_address

from .obsolete import EmailObsolete

Action = ActionToken.Action
Context = dict[str, Any]

_DISOWN_LIFETIME = dt.timedelta(days=7)


def new_device(mail: OutgoingEmail, user: User) -> Context:
    """Return the context of the mail about a sign-in on a new device."""
    found = _device(mail)
    country, at = found["session"].country, found["session"].created_at
    is_new = country and KnownCountry.objects.is_new(user.pk, country, at=at)
    new = country_name(country) if is_new else ""
    return {**found, "new_country": new, "link": _disown_link(mail, user)}


def new_country(mail: OutgoingEmail, user: User) -> Context:
    """Return the context of the mail about a use in a new country; raises EmailObsolete."""
    event = AuditLog.objects.filter(pk=mail.context.get("event"), user=user).first()
    facts = event.metadata if event else {}
    country = country_name(str(facts.get("country", "")))
    if event is None or not country:
        raise EmailObsolete
    return {
        **_device(mail),
        "when": facts.get("used_at"),
        "ip_address": event.ip_address,
        "place": words_of_address(event.ip_address),
        "new_country": country,
        "before": country_name(str(facts.get("before", ""))) if "minutes" in facts else "",
        "link": _disown_link(mail, user),
    }


def _disown_link(mail: OutgoingEmail, user: User) -> str:
    session_id = mail.context.get("session")
    token = ActionToken.objects.issue(
        Action.DISOWN_SESSION,
        user_id=user.pk,
        at=timezone.now(),
        lifetime=_DISOWN_LIFETIME,
        session=session_id,
    )
    return settings.DISOWN_SESSION_URL.replace("{token}", token)


def session_disowned(mail: OutgoingEmail, user: User) -> Context:
    """Return the context of the mail about a device that its owner has disowned."""
    return {"link": _disown_link(mail, user)}


def _device(mail: OutgoingEmail) -> Context:
    """Return a mail's session, our words for its device, and the name that the person gave it."""
    # If retention has deleted the session meanwhile, the mail is sent without the device's details.
    session = UserSession.objects.filter(pk=mail.context.get("session")).first() or UserSession(
        created_at=mail.created_at, device_name=mail.context.get("device", "")
    )
    described = mail.context.get("described") or device_of(session.user_agent).name
    return {
        "session": session,
        "place": words_of(country=session.country, city=session.city),
        "device_words": "" if described == UNKNOWN else spoken(described),
        "device_label": "" if _is_ours(session, described) else session.device_name,
    }


def _is_ours(session: UserSession, described: str) -> bool:
    """Return whether the name of a session's device may be our words for it.

    At the sign-in, hints that are not stored may have named the device more exactly.
    """
    app = session.browser.rstrip("0123456789. ") or described.partition(" on ")[0]
    return session.device_name == described or session.device_name.startswith(f"{app} on ")


def token_reuse(mail: OutgoingEmail, _: User) -> Context:
    """Return the context of the mail about a copied sign-in."""
    return _device(mail)
