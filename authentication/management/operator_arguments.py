"""The arguments that name who runs a command, and why."""

import os
import pwd
from typing import Any

from django.core.management.base import CommandError, CommandParser

from authentication.exceptions import PermissionRefused
from authentication.services.operators import Operator


def add_operator_argument(parser: CommandParser) -> None:
    """Let a command take the name of who runs it."""
    parser.add_argument(
        "--by",
        "--operator",
        dest="by",
        metavar="NAME",
        help="who runs this, for the audit log; by default the system user",
    )


def add_reason_argument(parser: CommandParser) -> None:
    """Let a command require a reason."""
    parser.add_argument(
        "--reason", required=True, help="why; kept with the account's events until its erasure"
    )


def operator_of(options: dict[str, Any]) -> Operator:
    """Return who runs a command; raises CommandError for an unusable name or reason."""
    try:
        return Operator.of(options["by"] or _system_user(), reason=options.get("reason"))
    except PermissionRefused as refusal:
        raise CommandError(refusal.detail) from None


def _system_user() -> str:
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        # A container may run under a number without a name.
        return f"uid {number}"
