"""Searches of lists: what is typed comes in the body, and stands sealed in the links of the list.

Names and addresses in a URL would be in the logs of proxies and in the history of the browser.
"""

import contextlib
from typing import Any

from django.contrib.admin.views.main import SEARCH_VAR, ChangeListSearchForm
from django.http import HttpRequest, HttpResponseRedirect

from authentication.utils.encryption import DecryptionError, decrypt, encrypt

from .keyset import AFTER, BEFORE

_SEALED = "sealed:"
_LONGEST = 254


def is_search(request: HttpRequest) -> bool:
    """Return whether a request is the form of a list's search."""
    return request.method == "POST" and SEARCH_VAR in request.POST and "action" not in request.POST


def redirect_to_found(request: Any) -> HttpResponseRedirect:
    """Lead from the form to the list of what is found, with the filters that were set."""
    parameters = request.GET.copy()
    for name in (SEARCH_VAR, AFTER, BEFORE):
        parameters.pop(name, None)
    if term := request.POST[SEARCH_VAR].strip()[:_LONGEST]:
        parameters[SEARCH_VAR] = _SEALED + encrypt(term.encode(), context=_context(request.user))
    return HttpResponseRedirect(f"{request.path}?{parameters.urlencode()}")


class SealedSearchForm(ChangeListSearchForm):
    """The search of a list; a sealed term is opened for the member of staff who sealed it."""

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean(self) -> dict[str, Any]:
        """Return the term as it was typed; one that cannot be opened stays, and finds nothing."""
        given: dict[str, Any] = super().clean() or {}
        term = given.get(SEARCH_VAR) or ""
        if term.startswith(_SEALED):
            sealed = term.removeprefix(_SEALED)
            with contextlib.suppress(DecryptionError):
                term = decrypt(sealed, context=_context(self._user)).decode()
        return {**given, SEARCH_VAR: term}


def _context(user: Any) -> str:
    return f"admin-search:{user.pk}"
