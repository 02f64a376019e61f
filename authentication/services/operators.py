"""Operators: the people who run commands on the server."""

import dataclasses
from typing import Any

from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models.second_factor_removal import REASON_MAX_LENGTH

_NAME_MAX_LENGTH = 64
_REASON = _("Please give a reason of at most {length} characters.")
_NAME = f"Please give a name of at most {_NAME_MAX_LENGTH} characters."


@dataclasses.dataclass(frozen=True, slots=True)
class Operator:
    """A person who runs a command: the name for the audit log, and why."""

    name: str
    reason: str = ""

    @classmethod
    def of(cls, name: str, *, reason: str | None = None) -> "Operator":
        """Return an operator; a `reason` that is given must not be empty.

        Raises PermissionRefused if the name or the reason is empty, too long or not printable.
        """
        name = " ".join(name.split())
        if not 0 < len(name) <= _NAME_MAX_LENGTH or not name.isprintable():
            raise PermissionRefused(_NAME)
        return cls(name, "" if reason is None else checked_reason(reason))

    def facts(self) -> dict[str, Any]:
        """Return what an event of the audit log says about the operator."""
        why = {"reason": self.reason} if self.reason else {}
        return {"actor": "command line", "operator": self.name, **why}


def named(operator: Operator | None) -> dict[str, Any]:
    """Return an operator's name for an event that has an actor; nothing if staff act."""
    return {"operator": operator.name} if operator else {}


def checked_reason(text: str) -> str:
    """Return a reason on one line.

    Raises PermissionRefused if it is empty, too long or not printable.
    """
    reason = " ".join(text.split())
    if not 0 < len(reason) <= REASON_MAX_LENGTH or not reason.isprintable():
        raise PermissionRefused(_REASON.format(length=REASON_MAX_LENGTH))
    return reason
