"""URLs of the baseline: a view that returns the user, and simplejwt's refresh view."""

from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.views import TokenRefreshView


class MeView(APIView):
    """The signed-in user."""

    def get(self, request: Request) -> Response:
        """Return the user."""
        user: Any = request.user
        return Response({"id": user.pk, "username": user.username, "email": user.email})


urlpatterns = [
    path("me/", MeView.as_view()),
    path("refresh/", TokenRefreshView.as_view()),
]
