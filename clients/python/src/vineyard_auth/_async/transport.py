"""Requests and answers, without a session."""

import http.cookiejar
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from vineyard_auth._problem import ProblemError
from vineyard_auth._routes import ROUTES


class AsyncTransport:
    """Sends the requests of operations."""

    def __init__(
        self, base_url: str, *, timeout: float, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        # The operations are below /api/v1/, the base is /api/v1/auth.
        self.root = base_url.rstrip("/").removesuffix("/auth") + "/"
        # The tokens are in the storage. A cookie would be a second, older one.
        no_cookies = http.cookiejar.CookieJar(
            http.cookiejar.DefaultCookiePolicy(allowed_domains=[])
        )
        self._http = httpx.AsyncClient(transport=transport, timeout=timeout, cookies=no_cookies)

    async def send(
        self,
        operation: str,
        *,
        body: Mapping[str, Any] | None = None,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send the request of an operation and return its answer; raise ProblemError."""
        method, template, _ = ROUTES[operation]
        filled = template.format(**{name: quote(it, safe="") for name, it in (path or {}).items()})
        answer = await self.request(
            method, self.root + filled, token=token, json=body, params=query, headers=headers
        )
        if answer.is_success:
            return answer.json()
        raise ProblemError.of(answer)

    async def request(
        self,
        method: str,
        url: str,
        *,
        token: str | None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Send any request, with an access token if one is given."""
        carried = {"Authorization": f"Bearer {token}"} if token else {}
        return await self._http.request(
            method, url, headers={**(headers or {}), **carried}, **options
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()
