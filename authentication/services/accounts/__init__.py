"""Registration, address, profile, export and deletion of an account."""

from .activity import ActivityService
from .addresses import address_taken
from .deletion import DeletionService
from .email_change import EmailChangeService
from .email_verification import EmailVerificationService
from .erasure import erase
from .export import ExportService
from .profiles import ProfileService
from .registration import RegistrationService

__all__ = [
    "ActivityService",
    "DeletionService",
    "EmailChangeService",
    "EmailVerificationService",
    "ExportService",
    "ProfileService",
    "RegistrationService",
    "address_taken",
    "erase",
]
