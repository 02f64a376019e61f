"""The export of personal data."""

from typing import Any

from django.http import FileResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.export import ExportDownloadSerializer, ExportStateSerializer
from authentication.services import ExportService
from authentication.utils.client import ClientInfo

from .base import SignedInView, needs_recent_proof, session_of, user_of

_EXAMPLE = {
    "state": "preparing",
    "requested_at": "2026-11-22T15:30:00Z",
    "available_until": None,
}

# Shortened: each part has more members.
_COPY = {
    "made_at": "2026-11-22T15:30:00Z",
    "account": {"email": "ruth@example.org", "username": "ruth"},
    "profile": {"display_name": "Ruth M."},
    "consents": [{"document": "terms", "version": "1"}],
    "sessions": [{"device_name": "iPhone 15 Pro"}],
    "events": [{"event_type": "login", "timestamp": "2026-11-22T15:30:00Z"}],
    "mails": [{"kind": "verification"}],
    "email_changes": [],
    "sensitive_changes": [],
    "verification_links": [],
    "reset_links": [],
    "other_links": [],
    "known_countries": [],
    "known_devices": [],
    "notes": [],
    "password_changes": [],
    "held_usernames": [],
    "invitations": [],
    "second_factors": [],
    "recovery_codes": [],
    "unfinished_sign_ins": [],
    "revoked_tokens": [],
    "exports": [],
    "second_factor_removals": [],
}


class ExportView(SignedInView):
    """An export of your personal data."""

    tag = "personal data"

    @authentication_schema("export", ExportStateSerializer, response=_EXAMPLE)
    def get(self, request: Request) -> Response:
        """Show the state of your export."""
        return Response(ExportStateSerializer(ExportService.state_of(user_of(request))).data)

    @authentication_schema("export_request", ExportStateSerializer, status=202, response=_EXAMPLE)
    @limited("account_data", key=by_session)
    @needs_recent_proof
    def post(self, request: Request) -> Response:
        """Request an export of your personal data.

        You get a mail when it is ready, usually within a minute. The link in it works once, for one
        day.
        """
        state = ExportService.request(session_of(request), client=ClientInfo.of(request))
        return Response(ExportStateSerializer(state).data, status=status.HTTP_202_ACCEPTED)


class ExportDownloadView(SignedInView):
    """Download your export with the token from the mail.

    The answer is a JSON file. The service deletes the export after the download.
    """

    tag = "personal data"
    serializer_class = ExportDownloadSerializer

    @authentication_schema(
        "export_download",
        OpenApiTypes.OBJECT,
        request={"token": "<from the mail>"},
        response=_COPY,
        errors=(failures.LinkInvalid,),
    )
    @limited("account_data", key=by_session)
    @needs_recent_proof
    def post(self, request: Request) -> Any:
        token = self.validated(request)["token"]
        held = ExportService.download(
            session_of(request), token=token, client=ClientInfo.of(request)
        )
        return as_a_file(held)


def as_a_file(held: Any) -> FileResponse:
    """Return a download, sent in blocks, that no cache may keep."""
    return FileResponse(
        held,
        as_attachment=True,
        filename=f"account-{timezone.now():%Y-%m-%d}.json",
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
