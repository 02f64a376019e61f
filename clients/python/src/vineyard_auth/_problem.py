"""Errors: those of the API (RFC 9457), and the end of a session."""

from typing import Any, cast

import httpx

from .types import Problem


class ProblemError(Exception):
    """The service refused a request.

    `code` is `unknown` if the answer was not the service's. `retry_after` holds the seconds to
    wait, if the answer names them. `problem` is the whole error.
    """

    def __init__(
        self, status: int, problem: dict[str, Any] | None = None, retry_after: int | None = None
    ) -> None:
        self.status = status
        self.problem = cast("Problem", problem or {})
        self.code: str = self.problem.get("code", "unknown")
        self.detail: str = self.problem.get("detail", f"The service answered {status}.")
        self.retry_after = retry_after
        super().__init__(f"{self.code}: {self.detail}")

    @property
    def errors(self) -> dict[str, list[str]]:
        """The messages by field."""
        return self.problem.get("errors", {})

    @property
    def correlation_id(self) -> str | None:
        """What support needs to find the request in the logs."""
        return self.problem.get("correlation_id")

    @classmethod
    def of(cls, answer: httpx.Response) -> "ProblemError":
        """Return the error that an answer tells."""
        try:
            found = answer.json()
        except ValueError:
            found = {}
        wait = answer.headers.get("Retry-After", "")
        problem = found if isinstance(found, dict) else {}
        return cls(answer.status_code, problem, int(wait) if wait.isdecimal() else None)


class SignedOutError(Exception):
    """There is no session, or it has ended: sign in."""
