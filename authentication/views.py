"""Exports every view."""

from authentication.view_modules.activity import ActivityDisownView, ActivityView, SessionDisownView
from authentication.view_modules.authentication import LoginView, LogoutView, RegisterView
from authentication.view_modules.consents import ConsentsView
from authentication.view_modules.csrf import CsrfTokenView
from authentication.view_modules.deletion import AccountDeleteView
from authentication.view_modules.email import (
    EmailCorrectView,
    EmailResendView,
    EmailVerifyView,
)
from authentication.view_modules.email_change import (
    AccountEmailView,
    ChangeUndoView,
    EmailChangeConfirmView,
    EmailChangeUndoView,
)
from authentication.view_modules.export import ExportDownloadView, ExportView
from authentication.view_modules.health import HealthView, LiveView
from authentication.view_modules.invitations import InvitationAcceptView
from authentication.view_modules.mail_events import NoticesView, SendGridEventsView
from authentication.view_modules.password import (
    PasswordChangeView,
    PasswordResetConfirmView,
    PasswordResetView,
)
from authentication.view_modules.profiles import OwnProfileView
from authentication.view_modules.reauthentication import ReauthenticateView
from authentication.view_modules.second_factor import (
    RecoveryCodesView,
    SecondFactorDisableView,
    SecondFactorRemovalStopView,
    SecondFactorVerifyView,
    SecondFactorView,
    TotpConfirmView,
    TotpSetupView,
)
from authentication.view_modules.sessions import (
    SessionDetailView,
    SessionListView,
    SessionTerminateAllView,
)
from authentication.view_modules.tokens import ExchangeTokenView, TokenRefreshView, TokenVerifyView
