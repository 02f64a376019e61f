"""Registration, address, profile, export and deletion of an account."""

from .acceptance import InvitationAcceptanceService
from .activity import ActivityService
from .addresses import address_taken
from .data_copies import DataCopyService
from .deletion import DeletionService
from .email_change import EmailChangeService
from .email_verification import EmailVerificationService, correct_address_of
from .erasure import OutOfTimeError, erase, erase_each
from .erasure_proofs import ErasureProofService
from .export import ExportService, request_export
from .operator_deletion import OperatorDeletionService, request_deletion
from .profiles import ProfileService
from .registration import RegistrationService
from .repeated_erasures import ExportedEvent, RepeatedErasureService
from .reserved_usernames import check_username_free
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
    "ExportedEvent",
    "InvitationAcceptanceService",
    "OperatorDeletionService",
    "OutOfTimeError",
    "ProfileService",
    "RegistrationService",
    "RepeatedErasureService",
    "address_taken",
    "check_username_free",
    "correct_address_of",
    "erase",
    "erase_each",
    "request_deletion",
    "request_export",
]
