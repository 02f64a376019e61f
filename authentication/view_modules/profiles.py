"""The profile of the signed-in user."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from authentication import exceptions as failures
from authentication.api.bearer import BearerAuthentication
from authentication.api.examples import USER
from authentication.api.limits import by_session, limited
from authentication.api.schema import authentication_schema
from authentication.serializers.profiles import (
    VISIBILITY_WORDS,
    ProfileSerializer,
    ProfileUpdateSerializer,
)
from authentication.services import ProfileService
from authentication.utils.client import ClientInfo
from authentication.utils.languages import follow_choice

from .base import SignedInView, session_of, user_of

_EXAMPLE = {
    **USER,
    "display_name": "Ruth M.",
    "display_name_or_email": "Ruth M.",
    "timezone": "Europe/Berlin",
    "visibility": "private",
    "profile_visibility": "private",
    "language": "",
    "consents": {
        "terms_accepted_at": "2026-11-22T15:30:00Z",
        "privacy_policy_accepted_at": "2026-11-22T15:30:00Z",
    },
    "created_at": "2026-11-22T15:30:00Z",
    "date_joined": "2026-11-22T15:30:00Z",
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
    **dict.fromkeys(("id", "created_at", "date_joined", "display_name_or_email"), ""),
    **dict.fromkeys(("email_verified", "is_verified"), ""),
    **dict.fromkeys((*_FLAGS, "role", "roles", "groups", "permissions", "user_permissions"), ""),
}

_VISIBILITY = ("visibility", "profile_visibility")
_TWO_VISIBILITIES = "This differs from visibility. Please send one of them."

# One instance for all requests: each new serializer copies its fields, and this one needs no
# request.
_shown = ProfileSerializer().to_representation


class OwnProfileView(SignedInView):
    """Your own profile."""

    tag = "profile"
    serializer_class = ProfileUpdateSerializer

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [BearerAuthentication(with_profile=True)]

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
        `profile_visibility` is another name of `visibility`. If both are sent, as by a client that
        sends back what it was shown, the one that differs from the present value counts.
        """
        changes = _with_one_visibility(self.validated(request), request)
        profile = ProfileService.update(session_of(request), changes, client=ClientInfo.of(request))
        follow_choice(request.META, profile.user.language)
        return Response(_shown(profile))

    def misplaced_fields(self, request: Request) -> dict[str, list[str]]:
        sent = request.data if isinstance(request.data, Mapping) else {}
        known = {name: place for name, place in _PLACES.items() if name in sent}
        both = sent.keys() >= set(_VISIBILITY)
        if not known and not both:
            return {}
        user = user_of(request)
        now = {**_shown(ProfileService.of(user)), **{name: getattr(user, name) for name in _FLAGS}}
        # Clients send back what they were shown.
        changed = {name for name in known if name not in now or sent[name] != now[name]}
        errors = {name: [_advice(place)] for name, place in known.items() if name in changed}
        if both and len(_new_visibilities(sent, now["visibility"])) > 1:
            errors["profile_visibility"] = [_TWO_VISIBILITIES]
        return errors


def _new_visibilities(sent: Mapping[str, Any], now: str) -> set[str]:
    """Return the valid values of both names of the visibility that differ from the present one."""
    found = {VISIBILITY_WORDS.get(it) for it in map(sent.get, _VISIBILITY) if isinstance(it, str)}
    return {it for it in found if it and it != now}


def _with_one_visibility(changes: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return the changes with `visibility` alone, and with its new value if one is new."""
    if changes.keys().isdisjoint(_VISIBILITY):
        return changes
    now = ProfileService.of(user_of(request)).visibility
    new = _new_visibilities(changes, now)
    kept = {name: value for name, value in changes.items() if name not in _VISIBILITY}
    return {**kept, "visibility": new.pop() if new else now}


def _advice(place: str) -> str:
    if not place:
        return _("This cannot be changed here.")
    return _("This cannot be changed here. Please use {path}.").format(path=reverse(place))
