"""Every view, under one roof."""

from .view_modules.activity import ActivityDisownView, ActivityView, SessionDisownView
from .view_modules.authentication import LoginView, LogoutView, RegisterView
from .view_modules.consents import ConsentsView
from .view_modules.csrf import CsrfTokenView
from .view_modules.deletion import AccountDeleteView
from .view_modules.email import EmailResendView, EmailVerifyView
from .view_modules.email_change import AccountEmailView, EmailChangeConfirmView, EmailChangeUndoView
from .view_modules.export import ExportDownloadView, ExportView
from .view_modules.health import HealthView, LiveView
from .view_modules.mail_events import NoticesView, SendGridEventsView
from .view_modules.password import PasswordChangeView, PasswordResetConfirmView, PasswordResetView
from .view_modules.profiles import OwnProfileView
from .view_modules.reauthentication import ReauthenticateView
from .view_modules.second_factor import (
    RecoveryCodesView,
    SecondFactorDisableView,
    SecondFactorVerifyView,
    SecondFactorView,
    TotpConfirmView,
    TotpSetupView,
)
from .view_modules.sessions import SessionDetailView, SessionListView, SessionTerminateAllView
from .view_modules.tokens import ExchangeTokenView, TokenRefreshView, TokenVerifyView

__all__ = [
    "AccountDeleteView",
    "AccountEmailView",
    "ActivityDisownView",
    "ActivityView",
    "ConsentsView",
    "CsrfTokenView",
    "EmailChangeConfirmView",
    "EmailChangeUndoView",
    "EmailResendView",
    "EmailVerifyView",
    "ExchangeTokenView",
    "ExportDownloadView",
    "ExportView",
    "HealthView",
    "LiveView",
    "LoginView",
    "LogoutView",
    "NoticesView",
    "OwnProfileView",
    "PasswordChangeView",
    "PasswordResetConfirmView",
    "PasswordResetView",
    "ReauthenticateView",
    "RecoveryCodesView",
    "RegisterView",
    "SecondFactorDisableView",
    "SecondFactorVerifyView",
    "SecondFactorView",
    "SendGridEventsView",
    "SessionDetailView",
    "SessionDisownView",
    "SessionListView",
    "SessionTerminateAllView",
    "TokenRefreshView",
    "TokenVerifyView",
    "TotpConfirmView",
    "TotpSetupView",
]
