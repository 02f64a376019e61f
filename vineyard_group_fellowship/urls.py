"""All URLs of the service."""

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from authentication.view_modules.account_pages import (
    ConfirmEmailPage,
    DisownSessionPage,
    DownloadExportPage,
    ForgotPasswordPage,
    HomePage,
    ResendVerificationPage,
    ResetPasswordPage,
    UndoChangePage,
    UndoEmailPage,
    VerifyEmailPage,
)
from authentication.view_modules.error_pages import FaviconView
from authentication.view_modules.metrics import MetricsView
from authentication.view_modules.second_factor_pages import KeepSecondFactorPage
from authentication.view_modules.unknown import ProblemIndexView, ProblemView, UnknownView
from authentication.view_modules.unsubscribe import UnsubscribePage
from authentication.views import OwnProfileView

handler500 = "authentication.view_modules.error_pages.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/auth/", include("authentication.urls")),
    path("api/v1/profiles/me/", OwnProfileView.as_view(), name="own-profile"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/redoc/", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
    path("api/problems/", ProblemIndexView.as_view(), name="problems"),
    path("api/problems/<slug:code>/", ProblemView.as_view(), name="problem"),
    # Unknown paths of the API: Django would answer with an HTML page or a redirect.
    re_path(r"^api(/|$)", UnknownView.as_view()),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("admin/", admin.site.urls),
    path("account/verify-email/", VerifyEmailPage.as_view(), name="verify-email-page"),
    path(
        "account/resend-verification/",
        ResendVerificationPage.as_view(),
        name="resend-verification-page",
    ),
    path("account/forgot-password/", ForgotPasswordPage.as_view(), name="forgot-password-page"),
    path("account/reset-password/", ResetPasswordPage.as_view(), name="reset-password-page"),
    path("account/not-me/", DisownSessionPage.as_view(), name="disown-session-page"),
    path("account/confirm-email/", ConfirmEmailPage.as_view(), name="confirm-email-page"),
    path("account/undo-email/", UndoEmailPage.as_view(), name="undo-email-page"),
    path("account/undo-change/", UndoChangePage.as_view(), name="undo-change-page"),
    path(
        "account/keep-second-factor/",
        KeepSecondFactorPage.as_view(),
        name="keep-second-factor-page",
    ),
    path("account/unsubscribe/", UnsubscribePage.as_view(), name="unsubscribe-page"),
    path("account/download-export/", DownloadExportPage.as_view(), name="download-export-page"),
    path("favicon.ico", FaviconView.as_view(), name="favicon"),
    path("", HomePage.as_view(), name="home"),
]

# Development only: requirements.txt does not have it (README.md).
if apps.is_installed("debug_toolbar"):
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns = [*debug_toolbar_urls(), *urlpatterns]
