"""The pages under /account/: the service's own front end, and those behind mailed links."""

from django.urls import path
from django.utils.translation import gettext_lazy as _

from authentication.view_modules.account_pages import (
    ConfirmEmailPage,
    DisownSessionPage,
    DownloadExportPage,
    ForgotPasswordPage,
    ResendVerificationPage,
    ResetPasswordPage,
    UndoChangePage,
    UndoEmailPage,
    VerifyEmailPage,
)
from authentication.view_modules.front_end_pages import FrontEndPage, WelcomePage
from authentication.view_modules.invitations import AcceptInvitationPage
from authentication.view_modules.second_factor_pages import KeepSecondFactorPage
from authentication.view_modules.unsubscribe import UnsubscribePage

# They need no script.
_mailed = [
    path("verify-email/", VerifyEmailPage.as_view(), name="verify-email-page"),
    path("resend-verification/", ResendVerificationPage.as_view(), name="resend-verification-page"),
    path("forgot-password/", ForgotPasswordPage.as_view(), name="forgot-password-page"),
    path("reset-password/", ResetPasswordPage.as_view(), name="reset-password-page"),
    path("accept-invitation/", AcceptInvitationPage.as_view(), name="accept-invitation-page"),
    path("not-me/", DisownSessionPage.as_view(), name="disown-session-page"),
    path("confirm-email/", ConfirmEmailPage.as_view(), name="confirm-email-page"),
    path("undo-email/", UndoEmailPage.as_view(), name="undo-email-page"),
    path("undo-change/", UndoChangePage.as_view(), name="undo-change-page"),
    path("keep-second-factor/", KeepSecondFactorPage.as_view(), name="keep-second-factor-page"),
    path("unsubscribe/", UnsubscribePage.as_view(), name="unsubscribe-page"),
    path("download-export/", DownloadExportPage.as_view(), name="download-export-page"),
]

# The scripts in static/account/js/ call the API for them.
_front_end = [
    path("", FrontEndPage.as_view(title=_("Your account")), name="account-page"),
    path("sign-up/", FrontEndPage.as_view(title=_("Create an account")), name="sign-up-page"),
    path(
        "check-email/", FrontEndPage.as_view(title=_("Check your email")), name="check-email-page"
    ),
    path("welcome/", WelcomePage.as_view(), name="welcome-page"),
    path("sign-in/", FrontEndPage.as_view(title=_("Sign in")), name="sign-in-page"),
    path("devices/", FrontEndPage.as_view(title=_("Your devices")), name="devices-page"),
    path("password/", FrontEndPage.as_view(title=_("Your password")), name="password-page"),
    path("email/", FrontEndPage.as_view(title=_("Your email address")), name="email-page"),
    path("profile/", FrontEndPage.as_view(title=_("Your profile")), name="profile-page"),
    path("two-step/", FrontEndPage.as_view(title=_("Two-step sign-in")), name="two-step-page"),
    path("activity/", FrontEndPage.as_view(title=_("Recent activity")), name="activity-page"),
    path("notices/", FrontEndPage.as_view(title=_("Emails from us")), name="notices-page"),
    path("data/", FrontEndPage.as_view(title=_("Your data")), name="data-page"),
]

urlpatterns = [*_mailed, *_front_end]
