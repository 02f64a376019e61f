"""The language of an answer: that of the person, else of the request, else of the site."""

import functools
from typing import Any

from django.conf import settings
from django.utils.translation import activate, get_language
from django.utils.translation.trans_real import parse_accept_lang_header

CHOSEN_KEY = "authentication.chosen_language"
"""The key in `request.META` of the language in the person's profile; "" if none is chosen."""

_LONGEST_HEADER = 500


def offered(code: str) -> str:
    """Return a language that the service is written in, for a code such as de-AT; "" for others."""
    known = dict(settings.LANGUAGES)
    lowered = code.lower()
    return next((it for it in (lowered, lowered.partition("-")[0]) if it in known), "")


def of_mail(user: Any) -> str:
    """Return the language of mails to a user.

    It is the user's choice, else that of the registration, else the site's: never that of the
    request that causes a mail, which may be a stranger's.
    """
    return offered(user.language) or offered(user.registered_language) or settings.LANGUAGE_CODE


def requested(header: str) -> str:
    """Return the language that an Accept-Language header prefers, of those that are offered."""
    found = _requested(header) if len(header) <= _LONGEST_HEADER else ""
    return found or settings.LANGUAGE_CODE


# Browsers write few different headers.
@functools.lru_cache(maxsize=1000)
def _requested(header: str) -> str:
    for code, _ in parse_accept_lang_header(header):
        if found := offered(code):
            return found
    return ""


def current() -> str:
    """Return the language that texts are translated to now."""
    return get_language() or settings.LANGUAGE_CODE


def speak(code: str) -> None:
    """Translate texts to a language from now on, in this request."""
    activate(code)


def follow_choice(meta: dict[str, Any], chosen: str) -> None:
    """Speak the language of a person's profile in a request, or what the request prefers."""
    meta[CHOSEN_KEY] = chosen
    speak(offered(chosen) or requested(meta.get("HTTP_ACCEPT_LANGUAGE", "")))
