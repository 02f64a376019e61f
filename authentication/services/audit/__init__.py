"""The audit log: writing events and exporting them."""

from .events import Event, Risk, record
from .log_export import EVENT_FIELDS, AuditFilter, ReportService

__all__ = [
    "EVENT_FIELDS",
    "AuditFilter",
    "Event",
    "ReportService",
    "Risk",
    "record",
]
