"""A WSGI application's response, sent through ASGI from the thread that makes it."""

import asyncio
import concurrent.futures
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import structlog

from .access_log import log_request
from .environ import REFUSAL_KEY, Environ, is_chunked

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[str, str]]

BLOCK = 64 * 1024

logger = structlog.get_logger(__name__)


class FileWrapper:
    """WSGI's `wsgi.file_wrapper`: a file that the server sends without a thread of the pool."""

    def __init__(self, file: Any, block_size: int = BLOCK) -> None:
        self._file = file
        self.close: Callable[[], None] = getattr(file, "close", lambda: None)

    def read(self) -> bytes:
        """Return the next block, empty at the end."""
        return bytes(self._file.read(BLOCK))


class ClientGoneError(Exception):
    """The client has closed its connection: the rest of the response has no reader."""


class Response:
    """The response to one request; `start`, `write`, `finish` and `fail` are called in a thread."""

    def __init__(self, send: Send, receive: Receive, environ: Environ) -> None:
        self._send, self._receive, self._environ = send, receive, environ
        self._loop = asyncio.get_running_loop()
        self._began = time.perf_counter()
        # A chunked request may hide another one from a proxy (RFC 9112, section 6.1), so its
        # connection is not used again.
        self._closes = is_chunked(environ)
        self._status = HTTPStatus.INTERNAL_SERVER_ERROR.value
        self._headers: Headers | None = None
        self._whole: bytes | None = None
        self._size = 0
        self._has_begun = False
        self._is_over = False
        self._error: Exception | None = None
        self._last: concurrent.futures.Future[None] | None = None
        self._gone: asyncio.Task[None] | None = None

    def start(self, status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
        """Take status and headers: WSGI's `start_response`."""
        if exc_info and self._has_begun:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._headers is not None and not exc_info:
            raise AssertionError("The response has already been started.")
        self._status, self._headers = int(status.split(" ", 1)[0]), headers
        return self.write

    def write(self, block: bytes) -> None:
        """Send a block of the body; returns when the server has taken it."""
        if not block:
            return
        if not self._has_begun and self._whole is None and len(block) == self._length():
            # All of it: one message, with the end.
            self._whole = block
            return
        self._wait_for(self._send_block(block))

    def finish(self) -> None:
        """End the body, and log the request."""
        self._last = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._log()

    def fail(self, error: Exception) -> None:
        """Log an exception of the application, and answer 500, if nothing was answered yet."""
        if isinstance(error, ClientGoneError):
            self._log()
            return
        logger.error("application_failed", fault=type(error).__name__, exc_info=error)
        if self._has_begun:
            # The connection is closed in the middle, so the client sees that something is missing.
            self._error = error
            self._log()
            return
        self._status, self._whole = HTTPStatus.INTERNAL_SERVER_ERROR.value, b""
        self._headers = [("Content-Length", "0")]
        self.finish()

    async def sent(self) -> None:
        """Wait until the end is sent; raises the error that has cut the body short."""
        if self._last:
            await asyncio.wrap_future(self._last)
        if self._gone:
            self._gone.cancel()
        if self._error:
            raise self._error

    async def refuse(self, status: HTTPStatus) -> None:
        """Answer a request that the application does not see, and close the connection."""
        self._status, self._closes, self._whole = status.value, True, b""
        self._headers = [("Content-Length", "0")]
        await self._end()
        await self._loop.run_in_executor(None, self._log)

    async def send_file(self, file: FileWrapper, pool: ThreadPoolExecutor) -> None:
        """Send a file block by block; a slow client takes no thread while it reads."""
        try:
            while block := await self._loop.run_in_executor(pool, file.read):
                await self._send_block(block)
            await self._end()
        except ClientGoneError:
            pass
        finally:
            await self._loop.run_in_executor(pool, self._close_and_log, file)

    async def _send_block(self, block: bytes) -> None:
        if not self._has_begun:
            self._gone = self._loop.create_task(self._notice_end())
            await self._begin()
            if self._whole:
                whole, self._whole = self._whole, None
                await self._send_block(whole)
        if self._is_over:
            raise ClientGoneError
        self._size += len(block)
        await self._send({"type": "http.response.body", "body": block, "more_body": True})

    async def _begin(self) -> None:
        if self._headers is None:
            raise AssertionError("The application has not called start_response.")
        self._has_begun = True
        headers = [
            (name.lower().encode("latin-1"), value.strip().encode("latin-1"))
            for name, value in self._headers
        ]
        if self._closes or REFUSAL_KEY in self._environ:
            headers.append((b"connection", b"close"))
        await self._send(
            {"type": "http.response.start", "status": self._status, "headers": headers}
        )

    async def _end(self) -> None:
        if not self._has_begun:
            await self._begin()
        body = self._whole or b""
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _notice_end(self) -> None:
        """Notice when the client closes its connection: ASGI's `send` does not say so."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_over = True

    def _wait_for(self, sending: Any) -> None:
        asyncio.run_coroutine_threadsafe(sending, self._loop).result()

    def _length(self) -> int | None:
        for name, value in self._headers or ():
            if name.lower() == "content-length":
                return int(value)
        return None

    def _close_and_log(self, file: FileWrapper) -> None:
        file.close()
        self._log()

    def _log(self) -> None:
        names = {name.lower(): value for name, value in self._headers or ()}
        log_request(
            "granian.access",
            self._environ,
            status=self._status,
            size=self._size + len(self._whole or b""),
            seconds=time.perf_counter() - self._began,
            correlation_id=names.get("x-correlation-id"),
        )
