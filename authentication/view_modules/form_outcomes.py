"""What a form of an account page led to, for the browser that sent it.

A form that is sent is answered by a redirect (303), so that a reload sends nothing. A form that is
sent twice, as by a double click, does its work once: the second answer is that of the first.
"""

import json
import time
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase

from authentication.utils.client import DEVICE_COOKIE
from authentication.utils.cookies import set_device_cookie
from authentication.utils.crypto import digest
from authentication.utils.encryption import DecryptionError, decrypt, encrypt
from authentication.utils.faults import FAULTS

_SALT = "authentication.form_outcomes"
_SHOWN_SECONDS = 24 * 60 * 60
_KEPT_SECONDS = 10 * 60
_WORK_SECONDS = 10
_PAUSE_SECONDS = 0.05
_WORKING = "working"


class SeeOther(HttpResponseRedirect):
    """A redirect after a form was sent (RFC 9110 15.4.4).

    `repeated_for` is how many seconds a repeated form gets the same location; `later` is the one it
    gets after that. Without one it is judged anew.
    """

    status_code = HTTPStatus.SEE_OTHER

    def __init__(self, location: str, *, repeated_for: float = _KEPT_SECONDS, later: str = ""):
        super().__init__(location)
        self.repeated_for, self.later = repeated_for, later


def done_url(request: HttpRequest) -> str:
    """Return the address that shows this browser that the form of the page has worked."""
    return f"{request.path}?done={signing.dumps(_browser_of(request), salt=_SALT)}"


def is_done(request: HttpRequest) -> bool:
    """Return whether the address was made by `done_url` for this page and this browser."""
    try:
        shown = signing.loads(request.GET["done"], salt=_SALT, max_age=_SHOWN_SECONDS)
    except (KeyError, signing.BadSignature):
        return False
    return bool(shown == _browser_of(request))


class FormOutcome:
    """The outcome of a form with a one-time token, kept for the browser that sent it.

    It is encrypted: it may hold the link that the browser goes on with. Without a cache nothing is
    kept, and a repeated form is refused as any spent token is.
    """

    def __init__(self, request: HttpRequest) -> None:
        token = request.POST.get("token", "")
        self._key = f"form:{digest(_browser_of(request) + token)}" if token else ""

    def begin(self) -> HttpResponse | None:
        """Return the answer to the first of the repeated forms; None for the first itself.

        Waits for an answer that is under way, for as long as a request may take.
        """
        deadline = time.monotonic() + _WORK_SECONDS
        try:
            while self._key and not cache.add(self._key, _WORKING, _WORK_SECONDS):
                held = cache.get(self._key)
                if held and held != _WORKING:
                    return self._answer(held)
                if time.monotonic() > deadline:
                    break
                time.sleep(_PAUSE_SECONDS)
        except FAULTS:
            self._key = ""
        return None

    def finish(self, response: HttpResponseBase | None) -> None:
        """Keep the answer if the form has worked; otherwise let the form be sent again."""
        if not self._key:
            return
        try:
            if isinstance(response, SeeOther):
                cache.set(self._key, self._seal(response), _KEPT_SECONDS)
            else:
                cache.delete(self._key)
        except FAULTS:
            return

    def _seal(self, response: SeeOther) -> str:
        device = response.cookies.get(DEVICE_COOKIE)
        kept = {
            "location": response.url,
            "until": time.time() + response.repeated_for,
            "later": response.later,
            "device": device.value if device else "",
        }
        return encrypt(json.dumps(kept).encode(), context=self._key)

    def _answer(self, held: str) -> HttpResponse | None:
        try:
            kept: dict[str, Any] = json.loads(decrypt(held, context=self._key))
        except DecryptionError:
            return None
        location = kept["location"] if time.time() < kept["until"] else kept["later"]
        if not location:
            return None
        response = SeeOther(location)
        if kept["device"]:
            set_device_cookie(response, kept["device"])
        return response


def _browser_of(request: HttpRequest) -> str:
    """Return what tells this page in this browser: its CSRF cookie, which every form needs."""
    cookie = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
    return digest(f"{request.path} {cookie}")
