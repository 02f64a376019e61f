"""The admin: read-only tables for staff, with actions that call services."""

from . import audit, outbox, second_factors, sessions, tokens, users

__all__ = ["audit", "outbox", "second_factors", "sessions", "tokens", "users"]
