"""The activity of an account."""

import uuid
from datetime import MAXYEAR, MINYEAR

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.attempts import attempt_of
from authentication.api.examples import USER_ID
from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.activity import (
    ActivityEventSerializer,
    ActivitySerializer,
    DisownedSerializer,
    DisownSerializer,
)
from authentication.serializers.authentication import MessageSerializer
from authentication.services import ActivityService
from authentication.utils.client import ClientInfo

from .base import PublicView, SignedInView, session_of, user_of
from .token_answers import clear_cookie_of

DISOWNED = _(
    "That device is signed out. Please choose a new password now: we have sent you a link."
)
DISOWNED_BY_MAIL = _("That device is signed out. Please choose a new password now.")
_EXAMPLE = {
    "id": USER_ID,
    "event": "login",
    "text": "You signed in.",
    "success": True,
    "risk_level": "low",
    "ip_address": "198.51.100.7",
    "city": "San Francisco",
    "country": "United States",
    "device": "iPhone 15 Pro",
    "session": "5a2f4d1e-6a0c-4f55-8f0f-0f6a8b7c9d21",
    "is_current": False,
    "timestamp": "2026-11-22T15:30:00Z",
}


class Newest(CursorPagination):
    """Pages by time, so that new events do not move others to the next page."""

    page_size = 20
    page_size_query_param = "limit"
    max_page_size = 100
    ordering = ("-timestamp", "-id")

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the cursor of the query string; raise NotFound for one that names no time.

        The base class passes on any text as the position, which the database then refuses.
        """
        cursor: Cursor | None = super().decode_cursor(request)
        if cursor and cursor.position is not None and not _is_time(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def _is_time(position: str) -> bool:
    try:
        found = parse_datetime(position)
    except ValueError:
        return False
    # A time zone shifts the first and the last year out of range.
    return found is not None and found.tzinfo is not None and MINYEAR < found.year < MAXYEAR


class ActivityView(SignedInView):
    """List what happened to your account.

    The newest events come first, `limit` a page (20 by default, 100 at most). `next` is the link to
    the older ones.
    """

    tag = "activity"

    @authentication_schema(
        "activity",
        ActivitySerializer,
        response={"events": [_EXAMPLE], "next": None, "previous": None},
        errors=(failures.NotFound,),
        query={"cursor": "From `next` or `previous`.", "limit": "How many, 100 at most."},
    )
    @limited("activity", key=by_session)
    def get(self, request: Request) -> Response:
        pages = Newest()
        events = pages.paginate_queryset(
            ActivityService.events_of(user_id=user_of(request).pk), request, view=self
        )
        shown = ActivityEventSerializer(
            events, many=True, context={"current": session_of(request).pk}
        )
        return Response(
            {
                "events": shown.data,
                "next": pages.get_next_link(),
                "previous": pages.get_previous_link(),
            }
        )


class ActivityDisownView(SignedInView):
    """Report an event that was not you.

    The device it came from is signed out at once. You get a mail with a link to choose a new
    password.
    """

    tag = "activity"

    @authentication_schema("activity_disown", MessageSerializer, response={"message": DISOWNED})
    @limited("activity_disown", key=by_session)
    def post(self, request: Request, event_id: uuid.UUID) -> Response:
        ended = ActivityService.disown(
            session_of(request), event_id=event_id, client=ClientInfo.of(request)
        )
        response = Response({"message": DISOWNED})
        if ended == session_of(request).pk:
            clear_cookie_of(request, response, ended=session_of(request).pk)
        return response


class SessionDisownView(PublicView):
    """Report a sign-in that was not you, with the token from the mail.

    The device is signed out at once. The answer has a token to choose a new password with.
    """

    tag = "activity"
    serializer_class = DisownSerializer

    @authentication_schema(
        "session_disown",
        DisownedSerializer,
        request={"token": "<from the mail>"},
        response={"message": DISOWNED_BY_MAIL, "reset_token": "<good for an hour>"},
        errors=(failures.LinkInvalid,),
    )
    @limited("session_disown", gives_back=True, by_device=True)
    def post(self, request: Request) -> Response:
        token = self.validated(request)["token"]
        reset_token = ActivityService.disown_by_mail(
            token=token, client=ClientInfo.of(request), limit=attempt_of(request)
        )
        return Response({"message": DISOWNED_BY_MAIL, "reset_token": reset_token})
