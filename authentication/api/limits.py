"""Rate limits of endpoints.

A request is counted before it is served. What cannot be abuse is given back afterwards, in the same
window and the same store: a sign-in, a right code, a mailed token, a live token. A device that the
account knows is counted for itself, so that strangers at its address do not spend its limit.
"""

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from authentication.exceptions import RateLimited
from authentication.utils.client import AnyRequest, ClientInfo, client_address, network_key
from authentication.utils.devices import device_secrets

from .attempts import CountedRequest

Handler = Callable[..., Response]
Key = Callable[[Any], str]


def by_address(request: AnyRequest) -> str:
    """Count by the client's address."""
    return network_key(client_address(request.META))


def by_session(request: Request) -> str:
    """Count by the session, so that the holder of one cannot spend another's limit."""
    return session_key(request.auth.pk)


def session_key(session_id: object) -> str:
    """Return the key that a session is counted under."""
    return f"session:{session_id}"


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """What becomes of a counted request.

    `gives_back`: an answer below 400 is not counted, nor is a refusal of the types in `harmless`.
    `only_failures`: a request is counted after it failed. It saves a round trip where requests that
    are served at the same moment gain nothing: for secrets that cannot be guessed.
    `by_device`: the service says whether the account knows the device (AttemptLimit); known ones
    are counted for themselves. `refused_as`: refused requests count under this name instead.
    """

    gives_back: bool = False
    only_failures: bool = False
    harmless: tuple[type[Exception], ...] = ()
    by_device: bool = False
    refused_as: str = ""


def limited(name: str, *, key: Key = by_address, **rules: Any) -> Callable[[Handler], Handler]:
    """Count the calls of a view's method under a name of RATE_LIMITS; refuse calls over the limit.

    `rules` are those of Rules. A refused call raises RateLimited. Every answer has the RateLimit
    fields. The method keeps the name in its attribute `limit`, which the OpenAPI schema reads.
    """
    applied = Rules(**rules)

    def decorate(handler: Handler) -> Handler:
        @functools.wraps(handler)
        def counted(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            with counting(name, request, key=key, rules=applied) as attempt:
                response = handler(view, request, *args, **kwargs)
                settle_answer(attempt, response, applied)
            return response

        counted.limit = name  # type: ignore[attr-defined]
        return counted

    return decorate


@contextlib.contextmanager
def counting(
    name: str, request: AnyRequest, *, key: Key = by_address, rules: Rules = Rules()
) -> Iterator[CountedRequest]:
    """Count a request under a name of RATE_LIMITS and settle it if the block raises.

    Raises RateLimited if the request is over the limit; with `by_device` the service does so,
    unless the client presents no device at all.
    """
    attempt = CountedRequest(name, request, key(request), is_counted=not rules.only_failures)
    if not (rules.by_device and device_secrets(ClientInfo.of(request).device_id)):
        attempt.refuse_if_over()
    try:
        yield attempt
    except Exception as error:
        _settle_error(attempt, error, rules, request)
        raise


def settle_answer(attempt: CountedRequest, response: HttpResponseBase, rules: Rules) -> None:
    """Give a request back if its answer says that it was no abuse.

    Raises RateLimited if the answer is a refusal that came before the service asked for the device.
    """
    if rules.by_device and not attempt.is_attributed:
        attempt.refuse_if_over()
    if rules.gives_back and response.status_code < HTTPStatus.BAD_REQUEST:
        attempt.give_back()


def count(name: str, request: AnyRequest, key: Key = by_address) -> None:
    """Count a request under a name of RATE_LIMITS; raise RateLimited if it is over the limit."""
    CountedRequest(name, request, key(request)).refuse_if_over()


def _settle_error(
    attempt: CountedRequest, error: Exception, rules: Rules, request: AnyRequest
) -> None:
    """Give back, move or refuse a request that raised an error."""
    if rules.by_device and not attempt.is_attributed:
        # Refused before the service asked for the device.
        attempt.refuse_if_over()
    if isinstance(error, rules.harmless):
        attempt.give_back()
    elif rules.only_failures:
        attempt.count()
    elif rules.refused_as and not isinstance(error, RateLimited):
        attempt.move(by_address(request), rules.refused_as)
