# Written by clients/generate.py from _async/.
"""The session of one person.

The access token is in memory alone, the refresh token in the storage. A rotated one is stored
before anything is done with it: the service repeats its answer to a client that lost it.
"""

import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from vineyard_auth._held import Held
from vineyard_auth._problem import ProblemError, SignedOutError
from vineyard_auth._storage import DEVICE_KEY, REFRESH_KEY, TokenStorage

from .transport import Transport

Result = TypeVar("Result")


class Session:
    """The tokens, and the one lock under which they change."""

    def __init__(self, transport: Transport, storage: TokenStorage) -> None:
        self._transport, self._storage = transport, storage
        self._held: Held | None = None
        self._lock = threading.Lock()

    @property
    def access_token(self) -> str | None:
        """The access token in memory, which may have expired."""
        return self._held.access if self._held else None

    def device_headers(self) -> dict[str, str]:
        """Return the header that makes this device known to the service."""
        device = self._storage.get(DEVICE_KEY)
        return {"X-Device-Id": device} if device else {}

    def authorized(self, work: Callable[[str], Result]) -> Result:
        """Do some work with a live access token; renew it once if it is refused."""
        access = self.access()
        try:
            return work(access)
        except ProblemError as error:
            # Other 401s are about a password or a code, which a new access token does not mend.
            if (error.status, error.code) != (HTTPStatus.UNAUTHORIZED, "token_invalid"):
                raise
        return work(self.renew(access))

    def access(self) -> str:
        """Return a live access token; raise SignedOutError without a session."""
        held = self._held
        if held and not held.is_due:
            return held.access
        try:
            return self.renew(held.access if held else None)
        except (ProblemError, httpx.TransportError):
            if not held or not held.is_live:
                raise
            held.postpone()
            return held.access

    def renew(self, stale: str | None) -> str:
        """Swap the refresh token, unless another thread or task has just done so."""
        with self._lock:
            held = self._held
            if held and held.access != stale and not held.is_due:
                return held.access
            # Another process may have rotated it: only the stored one counts.
            refresh = self._storage.get(REFRESH_KEY)
            if refresh is None:
                self._held = None
                raise SignedOutError
            try:
                pair = self._transport.send("token_refresh", body={"refresh": refresh})
            except ProblemError as error:
                if error.status != HTTPStatus.UNAUTHORIZED:
                    raise
                self._forget(refresh)
                raise SignedOutError from None
            self._adopt(pair)
            return str(pair["access"])

    def begin(self, request: Callable[[], Any]) -> Any:
        """Get new tokens by a sign-in or a new password, while nothing else changes them."""
        with self._lock:
            pair = request()
            self._adopt(pair)
            return pair

    def end(self, request: Callable[[str | None, str | None], Any]) -> Any:
        """End the session; return the service's answer, or None if it had ended before."""
        with self._lock:
            refresh = self._storage.get(REFRESH_KEY)
            try:
                answer = request(self.access_token, refresh)
            except ProblemError as error:
                if error.status != HTTPStatus.UNAUTHORIZED:
                    raise
                answer = None
            self._forget(refresh)
            return answer

    def _adopt(self, pair: dict[str, Any]) -> None:
        self._storage.set(REFRESH_KEY, pair["refresh"])
        if device := pair.get("device_id"):
            self._storage.set(DEVICE_KEY, device)
        self._held = Held.of(pair["access"], pair["expires_in"])

    def _forget(self, refresh: str | None) -> None:
        self._held = None
        # Another process may have signed in meanwhile.
        if self._storage.get(REFRESH_KEY) == refresh:
            self._storage.delete(REFRESH_KEY)
