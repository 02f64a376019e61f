"""WSGI's environ (PEP 3333) of an ASGI request, and the requests that are refused without it."""

import io
import re
import sys
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from .limits import MAX_FIELD, MAX_FIELDS, MAX_LINE

Environ = dict[str, Any]
Scope = dict[str, Any]

REFUSAL_KEY = "vineyard_group_fellowship.refusal"
"""The key in `environ` of the status with which the application must refuse the request."""

_METHOD = re.compile(r"[A-Z]+(-[A-Z]+)*")
# Of these the last one counts, as in gunicorn. Several others are joined.
_SINGLE = {"CONTENT_LENGTH", "CONTENT_TYPE"}
_SEPARATORS = {"HTTP_COOKIE": "; "}  # RFC 9113, section 8.2.3
_UNPREFIXED = {"content-length": "CONTENT_LENGTH", "content-type": "CONTENT_TYPE"}


class RefusedError(Exception):
    """A request that is refused before the application sees it."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


def environ_of(scope: Scope) -> Environ:
    """Return the environ of a request, without its body; raises RefusedError."""
    client, server = scope["client"], scope["server"]
    return {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        # The raw path: another server could read a decoded one in another way.
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{_version(scope)}",
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        **_headers(scope["headers"]),
    }


def refuse_if_ambiguous(scope: Scope, environ: Environ) -> None:
    """Refuse what is over a limit, or what two servers could read in two ways.

    The server itself has refused malformed requests, and with both lengths ignores Content-Length.
    """
    if not _METHOD.fullmatch(scope["method"]) or scope["method"] == "CONNECT":
        raise RefusedError(HTTPStatus.NOT_IMPLEMENTED)
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
        raise RefusedError(HTTPStatus.NOT_IMPLEMENTED)
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_LINE:
        raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG)
    fields = scope["headers"]
    if len(fields) > MAX_FIELDS or any(len(name) + len(it) > MAX_FIELD for name, it in fields):
        raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)


def is_chunked(environ: Environ) -> bool:
    """Return whether the body came in chunks (RFC 9112, section 7.1), without a length."""
    return "HTTP_TRANSFER_ENCODING" in environ


def put_body(environ: Environ, body: bytes) -> None:
    """Give the application the body, and its length, which a chunked one did not have."""
    if body or "CONTENT_LENGTH" in environ or is_chunked(environ):
        environ["CONTENT_LENGTH"] = str(len(body))
    # The body is no longer chunked.
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["wsgi.input"] = io.BytesIO(body)


def _headers(fields: list[tuple[bytes, bytes]]) -> Environ:
    headers: Environ = {}
    for raw_name, raw_value in fields:
        name = raw_name.decode("latin-1")
        # `X_Real_IP` would become the same key as `X-Real-IP`, which only the proxy may set.
        if "_" in name:
            continue
        value = raw_value.decode("latin-1")
        key = _UNPREFIXED.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        if key in headers and key not in _SINGLE:
            value = f"{headers[key]}{_SEPARATORS.get(key, ',')}{value}"
        headers[key] = value
    return headers


def _version(scope: Scope) -> str:
    version: str = scope["http_version"]
    return version if "." in version else f"{version}.0"
