"""The sessions of the signed-in user."""

import uuid

from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from authentication.api.examples import USER_ID
from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.authentication import MessageSerializer
from authentication.serializers.sessions import (
    SessionListSerializer,
    SessionRenameSerializer,
    SessionSerializer,
    TerminatedSerializer,
)
from authentication.services import SessionService
from authentication.utils.client import ClientInfo

from .base import SignedInView, session_of, user_of
from .token_answers import clear_cookie_of

TERMINATED = _("Session terminated successfully")
ALL_TERMINATED = _("All sessions terminated successfully")
_EXAMPLE = {
    "id": USER_ID,
    "device_name": "iPhone 15 Pro",
    "device_type": "mobile",
    "browser": "Safari 18",
    "operating_system": "iOS 18",
    "device_fingerprint": "5e1b0c6f0f7a4c2f9a7d1c3b5e8f2a6d",
    "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) ...",
    "ip_address": "198.51.100.7",
    "city": "San Francisco",
    "country": "United States",
    "is_active": True,
    "is_current": True,
    "created_at": "2026-11-01T10:00:00Z",
    "last_activity_at": "2026-11-22T15:30:00Z",
    "expires_at": "2026-11-29T15:30:00Z",
}


class SessionListView(SignedInView):
    """List the devices you are signed in on.

    The list has live sessions only, the most recently used first. `is_current` marks the session of
    this request.
    """

    tag = "sessions"

    @authentication_schema("sessions", SessionListSerializer, response={"sessions": [_EXAMPLE]})
    @limited("sessions", key=by_session)
    def get(self, request: Request) -> Response:
        sessions = SessionService.list_live(user_id=user_of(request).pk)
        shown = SessionSerializer(sessions, many=True, context={"current": session_of(request).pk})
        return Response({"sessions": shown.data})


class SessionDetailView(SignedInView):
    """One device you are signed in on."""

    tag = "sessions"
    serializer_class = SessionRenameSerializer

    @authentication_schema("session", SessionSerializer, response=_EXAMPLE)
    @limited("sessions", key=by_session)
    def get(self, request: Request, session_id: uuid.UUID) -> Response:
        """Show one device you are signed in on."""
        session = SessionService.get(user_id=user_of(request).pk, session_id=session_id)
        return Response(
            SessionSerializer(session, context={"current": session_of(request).pk}).data
        )

    @authentication_schema(
        "session_rename",
        SessionSerializer,
        request={"device_name": "Ruth's phone"},
        response={**_EXAMPLE, "device_name": "Ruth's phone"},
        invalid={"device_name": ["Please enter a name."]},
    )
    @limited("sessions", key=by_session)
    def patch(self, request: Request, session_id: uuid.UUID) -> Response:
        """Give one device another name.

        Invisible characters are dropped.
        """
        session = SessionService.rename(
            session_of(request),
            session_id,
            **self.validated(request),
            client=ClientInfo.of(request),
        )
        return Response(
            SessionSerializer(session, context={"current": session_of(request).pk}).data
        )

    @authentication_schema("session_terminate", MessageSerializer, response={"message": TERMINATED})
    @limited("sessions_terminate", key=by_session)
    def delete(self, request: Request, session_id: uuid.UUID) -> Response:
        """Sign one device out.

        Its tokens are revoked at once. A session of another user is not found.
        """
        SessionService.terminate(session_of(request), session_id, client=ClientInfo.of(request))
        response = Response({"message": TERMINATED})
        if session_id == session_of(request).pk:
            clear_cookie_of(request, response, ended=session_id)
        return response


class SessionTerminateAllView(SignedInView):
    """Sign every other device out.

    The session of this request stays. The answer has the number of the others.
    """

    tag = "sessions"

    @authentication_schema(
        "sessions_terminate_all",
        TerminatedSerializer,
        response={"message": ALL_TERMINATED, "terminated_count": 3},
    )
    @limited("sessions_terminate_all", key=by_session)
    def post(self, request: Request) -> Response:
        count = SessionService.terminate_others(session_of(request), client=ClientInfo.of(request))
        return Response({"message": ALL_TERMINATED, "terminated_count": count})
