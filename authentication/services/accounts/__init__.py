"""Registration, address, profile, export and deletion of an account."""

from .activity import ActivityService
from .addresses import address_taken
from .deletion import DeletionService
from .email_change import EmailChangeService
from .email_verification import EmailVerificationService
from .erasure import OutOfTimeError, erase, erase_each
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
    "OutOfTimeError",
    "ProfileService",
    "RegistrationService",
    "address_taken",
    "erase",
    "erase_each",
]
