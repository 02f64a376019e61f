"""A view that says who is signed in, and simplejwt's own refresh."""

from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.views import TokenRefreshView


class MeView(APIView):
    """Who is signed in."""

    def get(self, request: Request) -> Response:
        """Show it."""
        user: Any = request.user
        return Response({"id": user.pk, "username": user.username, "email": user.email})


urlpatterns = [
    path("me/", MeView.as_view()),
    path("refresh/", TokenRefreshView.as_view()),
]
