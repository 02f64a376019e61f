"""An access token in memory."""

import dataclasses
import time

RENEW_AT = 0.8
"""The part of its life after which an access token is renewed."""

RETRY_SECONDS = 15


@dataclasses.dataclass
class Held:
    """An access token, when it is to be renewed, and when it ends."""

    access: str
    due_at: float
    ends_at: float

    @classmethod
    def of(cls, access: str, seconds: float) -> "Held":
        """Return a token that lives for some seconds from now."""
        now = time.time()
        return cls(access, due_at=now + seconds * RENEW_AT, ends_at=now + seconds)

    @property
    def is_due(self) -> bool:
        """Whether it is to be renewed before it is used again."""
        return time.time() >= self.due_at

    @property
    def is_live(self) -> bool:
        """Whether it can still be used."""
        return time.time() < self.ends_at

    def postpone(self) -> None:
        """Use it on after a renewal failed, and do not try again with every request."""
        self.due_at = time.time() + RETRY_SECONDS
