"""A service in memory for the client in Python: it rotates refresh tokens."""

import json
from collections import Counter
from typing import Any

import httpx

BASE = "http://service.test/api/v1/auth"
LIFETIME = 900


class FakeService:
    """Answers requests; `planned` holds answers to be given first, by path."""

    def __init__(self) -> None:
        self.count, self.live = 0, ""
        self.seen: list[tuple[str, dict[str, Any], httpx.Headers]] = []
        self.planned: dict[str, list[httpx.Response]] = {}

    def plan(self, path: str, *answers: httpx.Response) -> None:
        """Give these answers first."""
        self.planned.setdefault(path, []).extend(answers)

    def asked(self) -> Counter[str]:
        """Return how often each path was asked for."""
        return Counter(path for path, _, _ in self.seen)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of either half of the client."""
        path = request.url.path.removeprefix("/api/v1/")
        body = json.loads(request.content or "{}")
        self.seen.append((path, body, request.headers))
        if self.planned.get(path):
            return self.planned[path].pop(0)
        if path in {"auth/login/", "auth/2fa/verify/"}:
            return self._pair(user={"email": "ruth@example.org"}, device_id="device-1")
        if path == "auth/token/refresh/":
            is_newest = body == {"refresh": f"refresh-{self.count}"}
            return self._pair() if is_newest else refusal(401, "token_invalid")
        if request.headers.get("Authorization") != f"Bearer {self.live}":
            return refusal(401, "token_invalid")
        return httpx.Response(200, json={"sessions": [], "email": "ruth@example.org"})

    def _pair(self, **more: Any) -> httpx.Response:
        self.count += 1
        self.live = f"access-{self.count}"
        pair = {"access": self.live, "refresh": f"refresh-{self.count}", "expires_in": LIFETIME}
        cookie = {"Set-Cookie": f"refresh_token=refresh-{self.count}; Path=/"}
        return httpx.Response(200, json={**pair, **more}, headers=cookie)


def refusal(status: int, code: str, **members: Any) -> httpx.Response:
    """Return an error of the service."""
    headers = {"Retry-After": "60"} if status == 429 else {}
    body = {"status": status, "code": code, "detail": "Refused.", **members}
    return httpx.Response(status, json=body, headers=headers)
