"""Mails that must not be sent any more."""


class EmailObsolete(Exception):  # noqa: N818 -- the name of a state
    """The reason for a mail no longer exists: its change was cancelled or its export expired."""
