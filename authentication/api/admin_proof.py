"""Whether staff in the admin have lately proven who they are, and asking them to."""

import datetime as dt
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

_KEY = "proven_at"


def remember_proof(request: HttpRequest) -> None:
    """Store in Django's session that its user has just proven who they are."""
    request.session[_KEY] = timezone.now().timestamp()


def has_recent_proof(request: HttpRequest) -> bool:
    """Return whether the proof is no older than REAUTHENTICATION_MINUTES.

    A form that was opened in time may be sent for as long again: nothing typed is lost.
    """
    age = dt.timedelta(seconds=timezone.now().timestamp() - request.session.get(_KEY, 0))
    lifetime: dt.timedelta = settings.REAUTHENTICATION_LIFETIME
    return age < (2 * lifetime if request.method == "POST" else lifetime)


def ask_for_proof(request: HttpRequest) -> HttpResponseRedirect:
    """Lead to the page that asks for a proof, and from there back to this one."""
    query = urlencode({"next": request.path}, safe="/")
    return HttpResponseRedirect(f"{reverse('admin:confirm')}?{query}")
