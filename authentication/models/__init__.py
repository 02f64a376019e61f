"""All tables of the application."""

from .account_export import AccountExport, ExportPart
from .action_token import ActionToken
from .audit_log import AuditLog
from .blacklist import TokenBlacklist
from .consent import Consent
from .email_change import EmailChange
from .failed_task import FailedTask
from .known_device import KnownDevice
from .login_attempts import LockReason
from .mailed_tokens import EmailVerificationToken, PasswordResetToken
from .outgoing_email import OutgoingEmail
from .password_history import PasswordHistory
from .profile import UserProfile
from .second_factor import Attempt, RecoveryCode, SecondFactor
from .second_factor_removal import SecondFactorRemoval
from .sensitive_change import SensitiveChange
from .session import UserSession
from .sign_in_challenge import SignInChallenge
from .user import User
from .username_hold import UsernameHold

__all__ = [
    "AccountExport",
    "ActionToken",
    "Attempt",
    "AuditLog",
    "Consent",
    "EmailChange",
    "EmailVerificationToken",
    "ExportPart",
    "FailedTask",
    "KnownDevice",
    "LockReason",
    "OutgoingEmail",
    "PasswordHistory",
    "PasswordResetToken",
    "RecoveryCode",
    "SecondFactor",
    "SecondFactorRemoval",
    "SensitiveChange",
    "SignInChallenge",
    "TokenBlacklist",
    "User",
    "UserProfile",
    "UserSession",
    "UsernameHold",
]
