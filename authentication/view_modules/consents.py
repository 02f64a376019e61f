"""Consent to the terms and the privacy policy."""

from rest_framework.request import Request
from rest_framework.response import Response

from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.consents import ConsentHistorySerializer, ConsentsGiveSerializer
from authentication.services import ConsentService
from authentication.services.consents import Consents
from authentication.utils.client import ClientInfo

from .base import SignedInView, session_of, user_of

_EXAMPLE = {
    "current": {"terms": "2026-11", "privacy_policy": "2026-11"},
    "due": {"terms": "2026-11"},
    "history": [
        {
            "document": "privacy_policy",
            "version": "2026-11",
            "accepted_at": "2026-11-22T15:30:00Z",
            "ip_address": "198.51.100.7",
            "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) ...",
        }
    ],
}


class ConsentsView(SignedInView):
    """What you have agreed to."""

    tag = "personal data"
    serializer_class = ConsentsGiveSerializer

    @authentication_schema("consents", ConsentHistorySerializer, response=_EXAMPLE)
    @limited("consents", key=by_session)
    def get(self, request: Request) -> Response:
        """Show what you have agreed to.

        Each entry has the document, its version, the time and the device. `due` lists the current
        versions that you have not accepted yet.
        """
        return _answer(ConsentService.of(user_of(request)))

    @authentication_schema(
        "consents_give",
        ConsentHistorySerializer,
        request={"terms_accepted": True},
        response={**_EXAMPLE, "due": {}},
        invalid={"non_field_errors": ["Please choose at least one document."]},
    )
    @limited("consents", key=by_session)
    def post(self, request: Request) -> Response:
        """Agree to the current versions.

        If you agree to a version twice, the first time is kept.
        """
        documents = self.validated(request)["documents"]
        return _answer(
            ConsentService.accept(session_of(request), documents, client=ClientInfo.of(request))
        )


def _answer(consents: Consents) -> Response:
    return Response(ConsentHistorySerializer(consents).data)
