"""Whether staff in the admin have lately proven who they are, and asking them to."""

import datetime as dt
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

_KEY = "proven_at"


def remember_proof(request: HttpRequest) -> None:
    """Store in Django's session that its user has just proven who they are.

    The session needs a new key then: a copy of the cookie has not proven anything (ASVS 7.2.4).
    """
    request.session[_KEY] = timezone.now().timestamp()


def limit_session(request: HttpRequest) -> None:
    """Let a session of the admin end SESSION_COOKIE_AGE seconds after the sign-in, however used."""
    request.session.set_expiry(timezone.now() + dt.timedelta(seconds=settings.SESSION_COOKIE_AGE))


def has_recent_proof(request: HttpRequest) -> bool:
    """Return whether the proof is no older than REAUTHENTICATION_MINUTES.

    A form that was opened in time may be sent for as long again: nothing typed is lost.
    """
    age = dt.timedelta(seconds=timezone.now().timestamp() - request.session.get(_KEY, 0))
    lifetime: dt.timedelta = settings.REAUTHENTICATION_LIFETIME
    return age < (2 * lifetime if request.method == "POST" else lifetime)


def ask_for_proof(request: HttpRequest, next_url: str = "") -> HttpResponseRedirect:
    """Lead to the page that asks for a proof, and from there to `next_url` or back to this page."""
    query = urlencode({"next": next_url or request.path}, safe="/")
    return HttpResponseRedirect(f"{reverse('admin:confirm')}?{query}")
