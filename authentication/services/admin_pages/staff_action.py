"""One thing that staff do for a person."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from authentication.models import User


@dataclasses.dataclass(frozen=True, slots=True)
class StaffAction:
    """One thing that staff do. The texts are lazy.

    `act` gets the account, what its form asks for, and `by`, an ActedBy.
    """

    name: str
    label: Any
    """The button."""
    meaning: Any
    """What it does, told before it is done."""
    done: Any
    """What was done."""
    act: Callable[..., object]
    suits: Callable[[User, dt.datetime], bool]
    permission: str
    is_grave: bool = False
    needs_proof: bool = False
    """Whether staff need a recent proof of who they are."""
    needs_reason: bool = False
    asks_address: bool = False
    is_for_many: bool = False
    asks_role: bool = False
    asks_note: bool = False
    is_for: Callable[[User, User], bool] = lambda *_: True
    """Whether the service would let this member of staff, the first one, do it to the account."""
