"""Bodies as a server hands them over: without a length, late, or broken off."""

import gzip
import io
import json
from collections.abc import Callable
from typing import Any

from rest_framework.test import APIClient


class Body(io.BytesIO):
    """A body that calls a function when it is first read, and may end with an exception."""

    def __init__(
        self,
        content: bytes,
        *,
        when_read: Callable[[], object] = lambda: None,
        error: Exception | None = None,
    ) -> None:
        super().__init__(content)
        self._when_read, self._error = when_read, error
        self.taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if not self.taken:
            self._when_read()
        found = super().read(size)
        self.taken += len(found)
        if self._error and not found:
            raise self._error
        return found


def chunked(body: Body) -> dict[str, Any]:
    """Return what gunicorn passes on of a request with `Transfer-Encoding: chunked`."""
    return {
        "CONTENT_LENGTH": "",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": body,
        "wsgi.input_terminated": True,
    }


def send_chunked(api: APIClient, url: str, body: Body | object, /, **headers: str) -> Any:
    """Return the answer to a POST of a chunked body; other values are sent as JSON."""
    stream = body if isinstance(body, Body) else Body(json.dumps(body).encode())
    return api.generic(
        "POST", url, content_type="application/json", headers=headers, **chunked(stream)
    )


def zipped(body: object) -> bytes:
    """Return a value as gzipped JSON."""
    return gzip.compress(json.dumps(body).encode())
