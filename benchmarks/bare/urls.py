"""URLs of the baseline: simplejwt's views, and a user's profile by a ModelSerializer."""

from typing import Any

from django.contrib.auth import get_user_model
from django.urls import path
from rest_framework.generics import RetrieveAPIView
from rest_framework.serializers import ModelSerializer
from rest_framework_simplejwt.views import (
    TokenObtainPairView,
    TokenRefreshView,
    TokenVerifyView,
)


class ProfileSerializer(ModelSerializer[Any]):
    """A user, with as many fields as Django's model has of the service's profile."""

    class Meta:
        model = get_user_model()
        fields = (
            "id",
            "username",
            "email",
            "first_name",
            "last_name",
            "is_active",
            "date_joined",
            "last_login",
        )


class ProfileView(RetrieveAPIView[Any]):
    """The signed-in user."""

    serializer_class = ProfileSerializer

    def get_object(self) -> Any:
        """Return the user."""
        return self.request.user


urlpatterns = [
    path("profile/", ProfileView.as_view()),
    path("refresh/", TokenRefreshView.as_view()),
    path("verify/", TokenVerifyView.as_view()),
    path("login/", TokenObtainPairView.as_view()),
]
