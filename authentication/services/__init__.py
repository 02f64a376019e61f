"""What code outside this app may import."""

from authentication.services.accounts import (
    ActivityService,
    ChangeUndoService,
    DataCopyService,
    DeletionService,
    EmailChangeService,
    EmailVerificationService,
    ErasureProofService,
    ExportService,
    InvitationAcceptanceService,
    OperatorDeletionService,
    ProfileService,
    RegistrationService,
    RepeatedErasureService,
)
from authentication.services.consents import ConsentService
from authentication.services.mail import DeliverabilityService, EmailService
from authentication.services.passwords import PasswordService
from authentication.services.sessions import SessionService, TokenService
from authentication.services.sign_in import (
    AdminEnrolmentService,
    AuthenticationService,
    ExchangeTokenService,
    ImmediateRemovalService,
    LockExplanationService,
    ReauthenticationService,
    SecondFactorRemovalService,
    SecondFactorService,
)

__all__ = [
    "ActivityService",
    "AdminEnrolmentService",
    "AuthenticationService",
    "ChangeUndoService",
    "ConsentService",
    "DataCopyService",
    "DeletionService",
    "DeliverabilityService",
    "EmailChangeService",
    "EmailService",
    "EmailVerificationService",
    "ErasureProofService",
    "ExchangeTokenService",
    "ExportService",
    "ImmediateRemovalService",
    "InvitationAcceptanceService",
    "LockExplanationService",
    "OperatorDeletionService",
    "PasswordService",
    "ProfileService",
    "ReauthenticationService",
    "RegistrationService",
    "RepeatedErasureService",
    "SecondFactorRemovalService",
    "SecondFactorService",
    "SessionService",
    "TokenService",
]
