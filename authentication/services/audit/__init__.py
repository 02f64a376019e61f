"""The audit log: writing events and exporting them."""

from .events import STAFF_EVENTS, Event, Risk, record
from .log_export import EVENT_FIELDS, AuditExportService, AuditFilter

__all__ = [
    "EVENT_FIELDS",
    "STAFF_EVENTS",
    "AuditExportService",
    "AuditFilter",
    "Event",
    "Risk",
    "record",
]
