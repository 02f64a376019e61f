"""An ASGI application that calls a WSGI application: threads are for whole requests alone."""

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from .environ import (
    REFUSAL_KEY,
    Environ,
    RefusedError,
    Scope,
    environ_of,
    is_chunked,
    put_body,
    refuse_if_ambiguous,
)
from .limits import BODY_SECONDS
from .response import FileWrapper, Receive, Response, Send

# A client that sends more than the limit reads the answer only after it has sent this much.
_DRAINED_BYTES = 1024 * 1024
_FILE_THREADS = 2


class WsgiAdapter:
    """Reads a request whole on the event loop, then calls the application in a pool of threads.

    A body has BODY_SECONDS to arrive, and `body_limit` bytes. The application answers 408 and 413
    itself: it finds the status under REFUSAL_KEY.
    """

    def __init__(self, application: Any, *, threads: int, body_limit: int) -> None:
        self._application = application
        self._body_limit = body_limit
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self._file_pool = ThreadPoolExecutor(_FILE_THREADS, thread_name_prefix="file")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        environ = environ_of(scope)
        response = Response(send, receive, environ)
        deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        try:
            refuse_if_ambiguous(scope, environ)
            put_body(environ, await self._read(environ, receive, deadline))
        except RefusedError as refused:
            if refused.status not in {
                HTTPStatus.REQUEST_TIMEOUT,
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            }:
                await response.refuse(refused.status)
                return
            put_body(environ, b"")
            environ[REFUSAL_KEY] = refused.status
        await self._answer(environ, response)
        if environ.get(REFUSAL_KEY) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            await _drain(receive, deadline)

    async def _read(self, environ: Environ, receive: Receive, deadline: float) -> bytes:
        """Return the body; raises RefusedError."""
        length = environ.get("CONTENT_LENGTH", "0")
        if length == "0" and not is_chunked(environ):
            return b""
        if int(length) > self._body_limit:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = bytearray()
        try:
            async with asyncio.timeout_at(deadline):
                while (message := await receive())["type"] == "http.request":
                    body += message.get("body", b"")
                    if len(body) > self._body_limit:
                        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT) from None
        # The chunks are malformed, or the client has gone.
        raise RefusedError(HTTPStatus.BAD_REQUEST)

    async def _answer(self, environ: Environ, response: Response) -> None:
        environ["wsgi.file_wrapper"] = FileWrapper
        loop = asyncio.get_running_loop()
        file = await loop.run_in_executor(self._pool, self._call, environ, response)
        if file:
            await response.send_file(file, self._file_pool)
        await response.sent()

    def _call(self, environ: Environ, response: Response) -> FileWrapper | None:
        """Call the application in a thread; return the file that remains to be sent, if any."""
        try:
            blocks = self._application(environ, response.start)
            if isinstance(blocks, FileWrapper):
                return blocks
            try:
                for block in blocks:
                    response.write(block)
            finally:
                if hasattr(blocks, "close"):
                    blocks.close()
            response.finish()
        except Exception as error:  # noqa: BLE001 -- it is logged, and answered
            response.fail(error)
        return None


async def _drain(receive: Receive, deadline: float) -> None:
    """Read on for a while: a client that still sends would not see the answer."""
    drained = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(deadline):
            while drained < _DRAINED_BYTES:
                message = await receive()
                drained += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body"):
                    return
