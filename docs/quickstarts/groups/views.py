from typing import Any

from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .models import Membership


class HasSecondFactor(BasePermission):
    """Lets sessions in that were proven by a second factor."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user: Any = request.user
        return bool(user.is_verified())


class MembershipsView(APIView):
    """Lists the groups of the person. An access token is asked for by default."""

    def get(self, request: Request) -> Response:
        groups = Membership.objects.filter(user_id=request.user.pk).order_by("group")
        return Response({"groups": [it.group for it in groups]})


class LeadershipView(APIView):
    """Tells leaders what concerns them."""

    permission_classes = (IsAuthenticated, HasSecondFactor)

    def get(self, request: Request) -> Response:
        session: Any = request.auth  # the UserSession
        return Response({"session": str(session.pk), "device": session.device_name})
