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
from .undoing import ChangeUndoService

__all__ = [
    "ActivityService",
    "ChangeUndoService",
    "DeletionService",
    "EmailChangeService",
    "EmailVerificationService",
    "ExportService",
    "ProfileService",
    "RegistrationService",
    "address_taken",
    "erase",
]
