"""The profile of the signed-in user."""

from collections.abc import Mapping

from django.urls import reverse
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


_FLAGS = ("is_staff", "is_superuser", "is_active")
# Fields that clients try to change here, and the endpoint that changes each; "" if none does.
_PLACES = {
    "email": "account-email",
    **dict.fromkeys(
        ("password", "new_password", "old_password", "password_confirm"), "password-change"
    ),
    **dict.fromkeys(("second_factor", "two_factor_enabled", "mfa_enabled"), "second-factor"),
    **dict.fromkeys(("consents", "terms_accepted", "privacy_policy_accepted"), "consents"),
    **dict.fromkeys(("notices", "email_notifications"), "notices"),
    **dict.fromkeys(("id", "created_at", "email_verified", "is_verified"), ""),
    **dict.fromkeys((*_FLAGS, "role", "roles", "groups", "permissions", "user_permissions"), ""),
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

        Omitted fields keep their value. A field that is changed elsewhere, such as `email`, is
        refused unless its value is the present one. Unknown fields are ignored. Another username
        needs a recent proof of identity, and you get a mail with a link to undo it.
        """
        profile = ProfileService.update(
            session_of(request), self.validated(request), client=ClientInfo.of(request)
        )
        return Response(_shown(profile))

    def misplaced_fields(self, request: Request) -> dict[str, list[str]]:
        sent = request.data if isinstance(request.data, Mapping) else {}
        known = {name: place for name, place in _PLACES.items() if name in sent}
        if not known:
            return {}
        user = user_of(request)
        now = {**_shown(ProfileService.of(user)), **{name: getattr(user, name) for name in _FLAGS}}
        # Clients send back what they were shown.
        changed = {name for name in known if name not in now or sent[name] != now[name]}
        return {name: [_advice(place)] for name, place in known.items() if name in changed}


def _advice(place: str) -> str:
    if not place:
        return "This cannot be changed here."
    return f"This cannot be changed here. Please use {reverse(place)}."
