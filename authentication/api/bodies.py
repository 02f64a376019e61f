"""Reading the body of a request whole, within a limit, before anybody is authenticated."""

import io
from collections.abc import Callable

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import MalformedRequest, PayloadTooLarge

_CHUNK = 64 * 1024
_BROKEN = _("The body did not arrive whole. Please send the request again.")
_NO_NUMBER = _("The Content-Length is not a number.")


class LengthRequired(MalformedRequest):
    """The server does not read chunked bodies."""

    detail = _("This server needs a Content-Length. Please send the body with its length.")


def read_body(request: HttpRequest, *, limit: int) -> None:
    """Read the body of a request, of at most `limit` bytes, and keep it as `request.body`.

    A body without a Content-Length (chunked, RFC 9112, section 7.1) is read to its end if the
    server marks that end (`wsgi.input_terminated`, PEP 3333's extension). The rest of Django then
    sees it with its length, as any other body.

    Raises PayloadTooLarge, without reading a body that announces more, LengthRequired if the server
    cannot read a chunked body (Django's development server), and MalformedRequest for a body that
    breaks off or a length that is no number.
    """
    if request._read_started:  # type: ignore[attr-defined]  # noqa: SLF001 -- Django's name
        return
    length = _length_of(request)
    if length is not None and length > limit:
        raise PayloadTooLarge
    if length is not None:
        body = _read(request, length)
        if len(body) < length:
            raise MalformedRequest(_BROKEN)
    elif request.META.get("wsgi.input_terminated"):
        # One byte more than allowed tells that there is more.
        body = _read(request, limit + 1)
    elif request.META.get("HTTP_TRANSFER_ENCODING"):
        raise LengthRequired
    else:
        body = b""
    if len(body) > limit:
        raise PayloadTooLarge
    keep_body(request, body)


def keep_body(request: HttpRequest, body: bytes) -> None:
    """Make these bytes the body of a request, for Django and for REST framework."""
    request._body = body  # noqa: SLF001 -- where Django keeps it
    request._stream = io.BytesIO(body)  # noqa: SLF001 -- as above
    request._read_started = True  # type: ignore[attr-defined]  # noqa: SLF001 -- as above
    # The parsers of forms ask for the length.
    request.META["CONTENT_LENGTH"] = str(len(body))


def _length_of(request: HttpRequest) -> int | None:
    given = str(request.META.get("CONTENT_LENGTH") or "")
    if not given:
        return None
    if not (given.isascii() and given.isdigit()):
        raise MalformedRequest(_NO_NUMBER)
    # Python does not convert numbers of more than 4300 digits.
    return int(given[:20])


def _read(request: HttpRequest, size: int) -> bytes:
    read: Callable[[int], bytes] = request.META["wsgi.input"].read
    parts, missing = [], size
    while missing:
        try:
            part = read(min(missing, _CHUNK))
        except AssertionError:
            # Django's test client: a mistake in a test.
            raise
        except Exception as error:
            # Servers have errors of their own for a broken connection or a malformed chunk.
            raise MalformedRequest(_BROKEN) from error
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
