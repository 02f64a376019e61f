"""Delivery events of mails, and the choice of notices."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.notices import NoticesSerializer
from authentication.services import DeliverabilityService
from authentication.utils.client import ClientInfo
from authentication.utils.sendgrid import LARGEST_BYTES, parse_events

from .base import PublicView, SignedInView, session_of, user_of


@extend_schema(exclude=True)
class SendGridEventsView(PublicView):
    """Takes SendGrid's events: bounces and complaints mark an account, others are ignored."""

    largest_body = LARGEST_BYTES

    def post(self, request: Request) -> Response:
        # The answer does not reveal whether an address has an account.
        events = parse_events(request._request)  # noqa: SLF001 -- DRF's name
        DeliverabilityService.record_events(events, client=ClientInfo.of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class NoticesView(SignedInView):
    """Your choice about notices. Security mails are always sent."""

    tag = "personal data"
    serializer_class = NoticesSerializer

    @authentication_schema("notices", NoticesSerializer, response={"notices": True})
    def get(self, request: Request) -> Response:
        """Show whether you get notices, such as the one about a new device."""
        return Response({"notices": user_of(request).notices_stopped_at is None})

    @authentication_schema(
        "notices_update",
        NoticesSerializer,
        request={"notices": False},
        response={"notices": False},
        errors=(failures.ReauthenticationRequired,),
    )
    @limited("notices", key=by_session)
    def put(self, request: Request) -> Response:
        """Choose whether you get notices, such as the one about a new device.

        Turning them off needs a recent proof of identity. You get a mail with a link to undo it.
        """
        wanted = self.validated(request)["notices"]
        DeliverabilityService.set_notices(
            session_of(request), wanted=wanted, client=ClientInfo.of(request)
        )
        return Response({"notices": wanted})
