"""The audit log: writing events, sealing, checking and exporting them."""

from .events import Event, Risk, count, event_of, record, record_action, record_each
from .log_export import EVENT_FIELDS, AuditExportService, AuditFilter
from .log_formats import csv_lines, json_lines
from .seals import AuditSealService
from .upkeep import amend, audit_upkeep, delete_sealed, delete_sealed_failures
from .verification import AuditVerificationService, Verified

__all__ = [
    "EVENT_FIELDS",
    "AuditExportService",
    "AuditFilter",
    "AuditSealService",
    "AuditVerificationService",
    "Event",
    "Risk",
    "Verified",
    "amend",
    "audit_upkeep",
    "count",
    "csv_lines",
    "delete_sealed",
    "delete_sealed_failures",
    "event_of",
    "json_lines",
    "record",
    "record_action",
    "record_each",
]
