"""Consent to the terms and the privacy policy."""

from .consents import Consents, ConsentService
from .records import due, give, remember, stamp

__all__ = [
    "ConsentService",
    "Consents",
    "due",
    "give",
    "remember",
    "stamp",
]
