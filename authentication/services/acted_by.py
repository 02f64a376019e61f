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
        """Return what an event says: `actor` (an id or "command line"), `operator`, `reason`.

        Raises PermissionRefused for a reason that is too long or not printable.
        """
        name = str(self.actor.pk) if self.actor else "command line"
        reason = {"reason": checked_reason(self.reason)} if self.reason.strip() else {}
        return {"actor": name, **named(self.operator), **reason}

    def note(self, action: str, user_id: uuid.UUID | None, **facts: Any) -> None:
        """Audit an action; raises PermissionRefused as `facts` does."""
        about = {**facts, **self.facts()}
        record_action(action, user_id=user_id, client=self.client, **about)


@contextlib.contextmanager
def administered(user_id: uuid.UUID, by: ActedBy) -> Iterator[User]:
    """Open a transaction that holds an account's row for staff, and give the row as it is now.

    Raises PermissionRefused if the account outranks the actor: it may have got a role since the
    request began.
    """
    with locked_account(user_id) as user:
        check_rank(by.actor, user)
        yield user
