"""All tables of the application."""

from .account_export import AccountExport, ExportPart
from .action_token import ActionToken
from .audit_log import AuditLog
from .audit_seal import AuditAmendment, AuditSeal
from .blacklist import TokenBlacklist
from .bulk_action import BulkAction, BulkActionPerson
from .consent import Consent
from .counted_attempts import (
    clear_on_account,
    clear_on_device,
    find_account,
    reserve_on_account,
    reserve_on_device,
)
from .email_change import EmailChange
from .failed_task import FailedTask
from .hourly_count import CountedUntil, HourlyCount
from .invitation import Invitation
from .known_country import KnownCountry
from .known_device import KnownDevice
from .log_mark import ExaminedUntil
from .login_attempts import LockReason
from .mailed_tokens import EmailVerificationToken, PasswordResetToken
from .outgoing_email import OutgoingEmail
from .password_history import PasswordHistory
from .profile import UserProfile
from .rotation import rotate
from .second_factor import RecoveryCode, SecondFactor, TryResult
from .second_factor_removal import SecondFactorRemoval
from .sensitive_change import SensitiveChange
from .session import UserSession
from .sign_in import sign_in_at_once
from .sign_in_challenge import SignInChallenge
from .staff_note import StaffNote
from .staff_role import StaffRole, rights_of, rights_of_group, with_implied
from .together import insert_together
from .user import User
from .username_hold import UsernameHold

__all__ = [
    "AccountExport",
    "ActionToken",
    "AuditAmendment",
    "AuditLog",
    "AuditSeal",
    "BulkAction",
    "BulkActionPerson",
    "Consent",
    "CountedUntil",
    "EmailChange",
    "EmailVerificationToken",
    "ExaminedUntil",
    "ExportPart",
    "FailedTask",
    "HourlyCount",
    "Invitation",
    "KnownCountry",
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
    "StaffNote",
    "StaffRole",
    "TokenBlacklist",
    "TryResult",
    "User",
    "UserProfile",
    "UserSession",
    "UsernameHold",
    "clear_on_account",
    "clear_on_device",
    "find_account",
    "insert_together",
    "reserve_on_account",
    "reserve_on_device",
    "rights_of",
    "rights_of_group",
    "rotate",
    "sign_in_at_once",
    "with_implied",
]
