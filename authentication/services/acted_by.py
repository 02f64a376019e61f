"""Acting on accounts for their users: who does it, from where, and why."""

import contextlib
import dataclasses
import uuid
from collections.abc import Iterator
from typing import Any

from authentication.exceptions import PermissionRefused
from authentication.models import User
from authentication.services.acting import locked_account
from authentication.services.audit import record_action
from authentication.services.operators import Operator, checked_reason, named
from authentication.services.ranks import check_rank
from authentication.utils.client import ClientInfo

_SERVER = ClientInfo()


@dataclasses.dataclass(frozen=True, slots=True)
class ActedBy:
    """A member of staff in the admin, or the operator of a command, who is no account."""

    actor: User | None
    client: ClientInfo = _SERVER
    reason: str = ""
    operator: Operator | None = None
    permission: str = ""
    """What staff need for this; the admin has checked it when the request began."""
    bulk_id: str = ""
    """The bulk action that this is a part of."""

    @classmethod
    def command(
        cls, operator: Operator, *, staff: User | None = None, reason: str = ""
    ) -> "ActedBy":
        """Return who acts by a command, perhaps as a member of staff."""
        return cls(staff, reason=reason or operator.reason, operator=operator)

    @property
    def staff(self) -> User:
        """Return the member of staff; raises PermissionRefused for a command without one."""
        if self.actor is None:
            raise PermissionRefused
        return self.actor

    def facts(self) -> dict[str, Any]:
        """Return what an event says: `actor` (an id or "command line"), `operator` and `reason`.

        A part of a bulk action has its `bulk_id`. Raises PermissionRefused for a reason that is too
        long or not printable.
        """
        name = str(self.actor.pk) if self.actor else "command line"
        reason = {"reason": checked_reason(self.reason)} if self.reason.strip() else {}
        bulk = {"bulk_id": self.bulk_id} if self.bulk_id else {}
        return {"actor": name, **named(self.operator), **reason, **bulk}

    def check(self) -> None:
        """Raise PermissionRefused unless the member of staff may still act.

        The role, the account or the session of the admin may have ended while the request waited
        for a lock. Commands with an operator are not checked.
        """
        if self.actor is None or self.operator:
            return
        current = User.objects.filter(pk=self.actor.pk).first()
        if current is None or not (current.is_active and current.is_staff):
            raise PermissionRefused
        if not is_session_of(current, self.actor.get_session_auth_hash()):
            raise PermissionRefused
        if self.permission and not current.has_perm(self.permission):
            raise PermissionRefused

    def check_may(self, permission: str) -> None:
        """Raise PermissionRefused unless the member of staff may still act, and has a permission.

        Call it in the transaction that writes.
        """
        dataclasses.replace(self, permission=permission).check()

    def note(self, action: str, user_id: uuid.UUID | None, **facts: Any) -> None:
        """Audit an action; raises PermissionRefused as `facts` does."""
        about = {**facts, **self.facts()}
        record_action(action, user_id=user_id, client=self.client, **about)


def is_session_of(user: User, session_hash: str) -> bool:
    """Return whether sessions of the admin with this hash live, and the account does not leave."""
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return session_hash in hashes and user.deletion_requested_at is None


@contextlib.contextmanager
def administered(user_id: uuid.UUID, by: ActedBy) -> Iterator[User]:
    """Open a transaction that holds an account's row for staff, and give the row as it is now.

    Raises PermissionRefused if the account has a right that the actor lacks, or if the actor may
    not act any more: roles may have changed since the request began.
    """
    with locked_account(user_id) as user:
        by.check()
        check_rank(by.actor, user)
        yield user
