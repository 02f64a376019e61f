"""Accounts, sign-in, sessions, tokens and the audit log."""
