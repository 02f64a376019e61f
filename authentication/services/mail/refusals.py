"""Refusals by the mail server that another attempt does not change."""

import smtplib

_PERMANENT = range(500, 600)
# RFC 5321 4.5.3.1.10: a server that says so means "not now".
_MEANT_AS_TEMPORARY = {552}
_POLICY = b"5.7."


def refused_for_good(error: Exception) -> int | None:
    """Return the reply code if the server refused the recipient for good (RFC 5321 4.2.1).

    A refusal of the sender or of our own sign-in is a fault of ours, which can be repaired.
    """
    if not isinstance(error, smtplib.SMTPRecipientsRefused):
        return None
    codes = [code for code, _ in error.recipients.values()]
    for_good = codes and all(
        code in _PERMANENT and code not in _MEANT_AS_TEMPORARY for code in codes
    )
    return codes[0] if for_good else None


def unknown_mailboxes(error: Exception) -> list[str]:
    """Return the addresses without a mailbox; a refusal by policy (5.7.x, RFC 3463) is not one."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused) or refused_for_good(error) is None:
        return []
    return [
        address
        for address, (_, reason) in error.recipients.items()
        if not _as_bytes(reason).startswith(_POLICY)
    ]


def _as_bytes(reason: bytes | str) -> bytes:
    return reason.encode(errors="replace") if isinstance(reason, str) else reason
