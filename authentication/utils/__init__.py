"""Helpers without a database."""
