"""The expected state of a session."""

import collections
import dataclasses
import datetime as dt

DAY = dt.timedelta(days=1)
LEEWAY = dt.timedelta(seconds=10)
# Ten seconds, and the leeway of clocks.
GRACE = dt.timedelta(seconds=20)
LOCK = dt.timedelta(minutes=30)
NAME_MEMORY = dt.timedelta(hours=1)


@dataclasses.dataclass(eq=False)
class Pair:
    """A refresh token, the access tokens issued with it, and when each expires."""

    refresh: str
    expires_at: dt.datetime
    access: dict[str, dt.datetime]


@dataclasses.dataclass(eq=False)
class Counter:
    """The wrong passwords on an account or on a known device, and their lock."""

    failures: int = 0
    locked_until: dt.datetime | None = None

    def is_locked(self, now: dt.datetime) -> bool:
        return self.locked_until is not None and self.locked_until > now

    def reserve(self, now: dt.datetime) -> bool:
        """Count an attempt while there is no lock; return whether it sets one."""
        if self.locked_until:
            self.clear()
        self.failures += 1
        if self.failures < 5:
            return False
        self.locked_until = now + LOCK
        return True

    def clear(self) -> None:
        self.failures, self.locked_until = 0, None


@dataclasses.dataclass(eq=False)
class NameCounter:
    """The wrong passwords by a name from unknown devices. A right one does not reset them."""

    failures: int = 0
    locked_until: dt.datetime | None = None
    forgotten_at: dt.datetime | None = None

    def is_locked(self, now: dt.datetime) -> bool:
        return self.locked_until is not None and self.locked_until > now

    def reserve(self, now: dt.datetime) -> bool:
        """Count an attempt while there is no lock; return whether it sets one."""
        if self.forgotten_at is None or self.forgotten_at <= now:
            self.failures, self.forgotten_at = 0, now + NAME_MEMORY
        self.failures += 1
        if self.failures < 5:
            return False
        self.locked_until = self.forgotten_at = now + LOCK
        return True

    def release(self, now: dt.datetime, *, lock: bool) -> None:
        """Uncount a right password, and lift the lock that it set."""
        self.failures -= 1
        if lock:
            self.locked_until, self.forgotten_at = None, now + NAME_MEMORY


@dataclasses.dataclass(eq=False)
class Refusals:
    """The attempts of a network that a lock refused, within a day of the first."""

    number: int = 0
    forgotten_at: dt.datetime | None = None

    def is_recorded(self, now: dt.datetime) -> bool:
        """Count one; return whether the audit log has it."""
        if self.forgotten_at is None or self.forgotten_at <= now:
            self.number, self.forgotten_at = 0, now + DAY
        self.number += 1
        return self.number in {1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500}


@dataclasses.dataclass(eq=False)
class Session:
    """A session and all its pairs of tokens, the newest last."""

    key: str
    owner: "Person"
    lifetime: dt.timedelta
    created_at: dt.datetime
    pairs: list[Pair]
    rotated_at: dt.datetime
    device: Counter
    successor_seen: bool = False
    ended: bool = False

    @property
    def expires_at(self) -> dt.datetime:
        return self.pairs[-1].expires_at

    def is_live(self, now: dt.datetime) -> bool:
        return not self.ended and self.expires_at > now

    def next_expiry(self, now: dt.datetime) -> dt.datetime:
        return min(now + self.lifetime, self.created_at + 90 * DAY)

    def is_in_grace(self, pair: Pair, now: dt.datetime) -> bool:
        is_previous = len(self.pairs) > 1 and pair is self.pairs[-2]
        return is_previous and (now <= self.rotated_at + GRACE or not self.successor_seen)


@dataclasses.dataclass(eq=False)
class Link:
    """A token that works once, until it expires or is voided."""

    owner: "Person"
    token: str
    expires_at: dt.datetime
    uses: int = 0
    void: bool = False
    gave: Session | None = None
    spent_at: dt.datetime | None = None

    def is_live(self, now: dt.datetime) -> bool:
        return not self.uses and not self.void and self.expires_at > now


@dataclasses.dataclass(eq=False)
class Person:
    """An account."""

    email: str
    passwords: list[str]
    verified: bool = False
    # Registered again with another password before the address was proven.
    contested: bool = False
    account: Counter = dataclasses.field(default_factory=Counter)
    name: NameCounter = dataclasses.field(default_factory=NameCounter)
    sessions: list[Session] = dataclasses.field(default_factory=list)
    links: dict[str, list[Link]] = dataclasses.field(
        default_factory=lambda: collections.defaultdict(list)
    )

    @property
    def password(self) -> str:
        return self.passwords[-1] if self.passwords else "No-Password-1"

    def prove_address(self) -> None:
        """Verify the address: older links are void, and a contested account has no password."""
        self.verified = True
        for link in self.links["verify"]:
            link.void = True
        if self.contested:
            self.contested = False
            self.passwords = []
            for link in self.links["reset"]:
                link.void = True

    def change_password(self, password: str) -> None:
        """Store a new password; older sessions and reset links end."""
        self.passwords.append(password)
        self.account.clear()
        for session in self.sessions:
            session.ended = True
        for link in self.links["reset"]:
            link.void = True
