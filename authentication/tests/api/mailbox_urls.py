"""The URLs of a service in the embedded mode."""

from django.urls import include, path

from vineyard_group_fellowship.urls import urlpatterns as shared

urlpatterns = [*shared, path("dev/", include("authentication.url_modules.development"))]
