"""The audit log: writing events and exporting them."""

from .events import Event, Risk, record
from .log_export import EVENT_FIELDS, AuditExportService, AuditFilter

__all__ = [
    "EVENT_FIELDS",
    "AuditExportService",
    "AuditFilter",
    "Event",
    "Risk",
    "record",
]
