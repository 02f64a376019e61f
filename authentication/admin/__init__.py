"""The desk: what staff see of accounts, and the few things they may do to them."""

from . import audit, outbox, sessions, tokens, users

__all__ = ["audit", "outbox", "sessions", "tokens", "users"]
