"""Everything under /api/v1/auth/."""

from django.urls import include, path

from authentication.view_modules.index import IndexView

urlpatterns = [
    path("", IndexView.as_view(), name="index"),
    path("", include("authentication.url_modules.auth")),
    path("", include("authentication.url_modules.second_factor")),
    path("", include("authentication.url_modules.session")),
    path("", include("authentication.url_modules.account")),
    path("", include("authentication.url_modules.health")),
]
