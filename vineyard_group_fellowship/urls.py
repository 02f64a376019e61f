"""All URLs of the service."""

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import (
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from authentication.view_modules.account_pages import HomePage
from authentication.view_modules.description import DescriptionView
from authentication.view_modules.error_pages import FaviconView
from authentication.view_modules.metrics import MetricsView
from authentication.view_modules.unknown import ProblemIndexView, ProblemView, UnknownView
from authentication.view_modules.well_known import ChangePasswordView, SecurityTextView
from authentication.views import OwnProfileView

handler500 = "authentication.view_modules.error_pages.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/auth/", include("authentication.urls")),
    path("api/v1/profiles/me/", OwnProfileView.as_view(), name="own-profile"),
    path("api/schema/", DescriptionView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/redoc/", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
    path("api/problems/", ProblemIndexView.as_view(), name="problems"),
    path("api/problems/<slug:code>/", ProblemView.as_view(), name="problem"),
    # Unknown paths of the API: Django would answer with an HTML page or a redirect.
    re_path(r"^api(/|$)", UnknownView.as_view()),
    path("metrics", MetricsView.as_view(), name="metrics"),
    path("admin/", admin.site.urls),
    path("account/", include("authentication.url_modules.pages")),
    path(".well-known/change-password", ChangePasswordView.as_view(), name="change-password"),
    path(".well-known/security.txt", SecurityTextView.as_view(), name="security-txt"),
    path("favicon.ico", FaviconView.as_view(), name="favicon"),
    path("", HomePage.as_view(), name="home"),
]

if settings.DEVELOPMENT_MAILBOX:
    urlpatterns.append(path("dev/", include("authentication.url_modules.development")))

# Development only: requirements.txt does not have it (README.md).
if apps.is_installed("debug_toolbar"):
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns = [*debug_toolbar_urls(), *urlpatterns]
