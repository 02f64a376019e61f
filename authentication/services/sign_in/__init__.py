"""Signing in and out: passwords, lockout, second factor, exchange tokens, reauthentication."""

from .authentication import AuthenticationService
from .credentials import check_current_password, prove_identity
from .exchange import ExchangeTokenService
from .exchange_tokens import new_exchange_token
from .familiarity import remember_network
from .open_session import SignedIn, sign_in
from .reauthentication import ReauthenticationService
from .second_factor import SecondFactorService
from .second_factor_codes import WRONG_CODE, check_code, seed_context

__all__ = [
    "WRONG_CODE",
    "AuthenticationService",
    "ExchangeTokenService",
    "ReauthenticationService",
    "SecondFactorService",
    "SignedIn",
    "check_code",
    "check_current_password",
    "new_exchange_token",
    "prove_identity",
    "remember_network",
    "seed_context",
    "sign_in",
]
