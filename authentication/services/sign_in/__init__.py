"""Signing in and out: passwords, lockout, second factor, exchange tokens, reauthentication."""

from .admin_admission import FactorMissing
from .admin_enrolment import AdminEnrolmentService, Enrolment
from .authentication import AuthenticationService
from .counters import forget_names
from .credentials import CodeMissing, authenticate, is_password_of_unproven, prove_password_of
from .exchange import ExchangeTokenService
from .exchange_tokens import new_exchange_token
from .forced_removal import ImmediateRemovalService
from .known_devices import is_known, recognise, remember
from .lock_explanation import LockExplanationService
from .lock_reports import LockReportService
from .new_factor import NewFactor, store_new_factor
from .opening import Opening, SignedIn, open_session
from .reauthentication import ReauthenticationService, check_own_password
from .second_factor import SecondFactorService, remove_second_factor
from .second_factor_codes import WRONG_CODE, seed_context
from .second_factor_removal import SecondFactorRemovalService, stop_pending_removal

__all__ = [
    "WRONG_CODE",
    "AdminEnrolmentService",
    "AuthenticationService",
    "CodeMissing",
    "Enrolment",
    "ExchangeTokenService",
    "FactorMissing",
    "ImmediateRemovalService",
    "LockExplanationService",
    "LockReportService",
    "NewFactor",
    "Opening",
    "ReauthenticationService",
    "SecondFactorRemovalService",
    "SecondFactorService",
    "SignedIn",
    "authenticate",
    "check_own_password",
    "forget_names",
    "is_known",
    "is_password_of_unproven",
    "new_exchange_token",
    "open_session",
    "prove_password_of",
    "recognise",
    "remember",
    "remove_second_factor",
    "seed_context",
    "stop_pending_removal",
    "store_new_factor",
]
