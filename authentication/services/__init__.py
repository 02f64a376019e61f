"""What the other apps of the monolith may use."""

from .activity import ActivityService
from .authentication import AuthenticationService
from .consents import ConsentService
from .deletion import DeletionService
from .deliverability import DeliverabilityService
from .email import EmailService
from .email_change import EmailChangeService
from .email_verification import EmailVerificationService
from .exchange import ExchangeTokenService
from .export import ExportService
from .password import PasswordService
from .profiles import ProfileService
from .reauthentication import ReauthenticationService
from .registration import RegistrationService
from .second_factor import SecondFactorService
from .sessions import SessionService
from .tokens import TokenService

__all__ = [
    "ActivityService",
    "AuthenticationService",
    "ConsentService",
    "DeletionService",
    "DeliverabilityService",
    "EmailChangeService",
    "EmailService",
    "EmailVerificationService",
    "ExchangeTokenService",
    "ExportService",
    "PasswordService",
    "ProfileService",
    "ReauthenticationService",
    "RegistrationService",
    "SecondFactorService",
    "SessionService",
    "TokenService",
]
