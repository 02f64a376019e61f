"""Consent to the terms and the privacy policy."""

from .consents import Consents, ConsentService
from .records import create_consent_rows, outstanding_consents, record_consent, set_consent_fields

__all__ = [
    "ConsentService",
    "Consents",
    "create_consent_rows",
    "outstanding_consents",
    "record_consent",
    "set_consent_fields",
]
