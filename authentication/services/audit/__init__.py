"""The audit log: writing events and exporting them."""

from .events import Event, Risk, count, record, record_action, record_each
from .log_export import EVENT_FIELDS, AuditExportService, AuditFilter

__all__ = [
    "EVENT_FIELDS",
    "AuditExportService",
    "AuditFilter",
    "Event",
    "Risk",
    "count",
    "record",
    "record_action",
    "record_each",
]
