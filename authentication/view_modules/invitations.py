"""Accepting an invitation: the endpoint, and the page behind the mailed link."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.attempts import attempt_of
from authentication.api.examples import NEW_SESSION, PASSWORD
from authentication.api.limits import limited
from authentication.api.schema import authentication_schema
from authentication.serializers.invitations import InvitationAcceptSerializer
from authentication.serializers.password import PasswordResetDoneSerializer
from authentication.services import InvitationAcceptanceService
from authentication.utils.client import ClientInfo
from authentication.utils.cookies import set_device_cookie

from .base import PublicView
from .mailed_link_page import MailedLinkPage
from .token_answers import device_answer

ACCEPTED = _("Your account is ready. You can sign in now.")
_NO_TIME_TO_TYPE_SECONDS = 10


class InvitationAcceptView(PublicView):
    """Accept an invitation with the token from the mail, and choose a password.

    The account is made now, with the name of the invitation and a generated username; its address
    is proven. This device becomes a known device. A password that breaks the rules does not use up
    the token. If a member has the address by now the answer is `token_invalid`.
    """

    tag = "account"
    serializer_class = InvitationAcceptSerializer

    @authentication_schema(
        "invitation_accept",
        PasswordResetDoneSerializer,
        request={
            "token": "<from the mail>",
            "password": PASSWORD,
            "terms_accepted": True,
            "privacy_policy_accepted": True,
        },
        response={"message": ACCEPTED, "device_id": NEW_SESSION["device_id"]},
        errors=(failures.LinkInvalid, failures.ServiceUnavailable),
    )
    @limited("invitation_accept", gives_back=True, by_device=True)
    def post(self, request: Request) -> Response:
        device_id = InvitationAcceptanceService.accept(
            **self.validated(request), client=ClientInfo.of(request), limit=attempt_of(request)
        )
        return device_answer(request, device_id, message=ACCEPTED)

    def further_errors(self, request: Request, accepted: Mapping[str, Any]) -> dict[str, list[str]]:
        return InvitationAcceptanceService.weaknesses(accepted.get("password"))


class AcceptInvitationPage(MailedLinkPage):
    """Accepts an invitation."""

    template_name = "account/accept_invitation.html"
    limit = "invitation_accept"

    def page(self, *, status: int = 200, **context: Any) -> HttpResponse:
        """Render the page, with the minimum length of passwords and the texts to agree to."""
        return super().page(
            status=status,
            min_length=settings.PASSWORD_MIN_LENGTH,
            asks_consent=settings.REQUIRE_CONSENT,
            terms_url=settings.TERMS_URL,
            privacy_policy_url=settings.PRIVACY_POLICY_URL,
            **context,
        )

    def act(self, request: HttpRequest) -> HttpResponse:
        given = InvitationAcceptSerializer(data=request.POST)
        try:
            if not given.is_valid():
                weak = InvitationAcceptanceService.weaknesses(given.accepted.get("password"))
                raise failures.ValidationFailed(errors={**weak, **given.errors})
            device_id = InvitationAcceptanceService.accept(
                **given.validated_data, client=ClientInfo.of(request), limit=attempt_of(request)
            )
        except failures.ValidationFailed as refusal:
            errors = _messages_of(refusal)
            return self.refused(refusal, token=request.POST.get("token", ""), errors=errors)
        # A form that comes later may hold another password, which was not set.
        response = self.done(repeated_for=_NO_TIME_TO_TYPE_SECONDS)
        if settings.ENABLE_COOKIE_REFRESH_TOKEN:
            set_device_cookie(response, device_id)
        return response


def _messages_of(refusal: failures.ValidationFailed) -> list[str]:
    found = (refusal.errors or {}).values()
    return list(dict.fromkeys(str(message) for messages in found for message in messages))
