"""The profile of the signed-in user."""

from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.examples import USER
from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.profiles import ProfileSerializer, ProfileUpdateSerializer
from authentication.services import ProfileService
from authentication.utils.client import ClientInfo

from .base import SignedInView, session_of, user_of

_EXAMPLE = {
    **USER,
    "display_name": "Ruth M.",
    "timezone": "Europe/Berlin",
    "visibility": "private",
    "consents": {
        "terms_accepted_at": "2026-11-22T15:30:00Z",
        "privacy_policy_accepted_at": "2026-11-22T15:30:00Z",
    },
    "created_at": "2026-11-22T15:30:00Z",
}


# One instance for all requests: each new serializer copies its fields, and this one needs no
# request.
_shown = ProfileSerializer().to_representation


class OwnProfileView(SignedInView):
    """Your own profile."""

    tag = "profile"
    serializer_class = ProfileUpdateSerializer

    @authentication_schema("profile", ProfileSerializer, response=_EXAMPLE)
    def get(self, request: Request) -> Response:
        """Show your profile."""
        return Response(_shown(ProfileService.of(user_of(request))))

    @authentication_schema(
        "profile_update",
        ProfileSerializer,
        request={"display_name": "Ruth M.", "timezone": "Europe/Berlin"},
        response=_EXAMPLE,
        invalid={"timezone": ["Enter a time zone such as Europe/Berlin."]},
        errors=(failures.ReauthenticationRequired,),
    )
    @limited("profile", key=by_session)
    def patch(self, request: Request) -> Response:
        """Change your profile.

        Omitted fields keep their value. Fields that you may not change are ignored. Another
        username needs a recent proof of identity, and you get a mail with a link to undo it.
        """
        profile = ProfileService.update(
            session_of(request), self.validated(request), client=ClientInfo.of(request)
        )
        return Response(_shown(profile))
