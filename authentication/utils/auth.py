"""Email verification and passwords, for other apps: the services under the specification's name."""

from authentication.services import EmailVerificationService, PasswordService, RegistrationService
from authentication.services.passwords import check_password_policy

__all__ = [
    "EmailVerificationService",
    "PasswordService",
    "RegistrationService",
    "check_password_policy",
]
