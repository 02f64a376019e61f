"""Registration, address, profile, export and deletion of an account."""

from .activity import ActivityService
from .addresses import address_taken
from .data_copies import DataCopyService
from .deletion import DeletionService
from .email_change import EmailChangeService
from .email_verification import EmailVerificationService
from .erasure import OutOfTimeError, erase, erase_each
from .erasure_proofs import ErasureProofService
from .export import ExportService
from .operator_deletion import OperatorDeletionService
from .profiles import ProfileService
from .registration import RegistrationService
from .undoing import ChangeUndoService

__all__ = [
    "ActivityService",
    "ChangeUndoService",
    "DataCopyService",
    "DeletionService",
    "EmailChangeService",
    "EmailVerificationService",
    "ErasureProofService",
    "ExportService",
    "OperatorDeletionService",
    "OutOfTimeError",
    "ProfileService",
    "RegistrationService",
    "address_taken",
    "erase",
    "erase_each",
]
