"""The admin: read-only tables for staff, with actions that call services."""

from . import audit, outbox, sessions, tokens, users

__all__ = ["audit", "outbox", "sessions", "tokens", "users"]
