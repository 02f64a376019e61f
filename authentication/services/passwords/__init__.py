"""Passwords: changing and resetting them, hashing, policy, breach checks."""

from .breach import check_breach, queue_breach_check
from .password import PasswordService
from .policy import broken_rules, check_password_policy

__all__ = [
    "PasswordService",
    "broken_rules",
    "check_breach",
    "check_password_policy",
    "queue_breach_check",
]
