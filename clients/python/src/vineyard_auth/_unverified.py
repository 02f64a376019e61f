"""A step of a sign-in that leads to the person's mailbox."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class EmailNotVerified:
    """The address is not verified: offer to send the link again."""

    detail: str
