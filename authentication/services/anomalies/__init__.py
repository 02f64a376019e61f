"""Unusual uses of accounts, found in the audit log by schedule (docs/places.md)."""

from .examination import AnomalyService

__all__ = ["AnomalyService"]
