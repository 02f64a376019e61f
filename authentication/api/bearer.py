"""Authentication by the Authorization header (RFC 6750)."""

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from authentication.exceptions import TokenInvalid
from authentication.models import User, UserSession
from authentication.services.sessions import TokenService
from authentication.utils.client import LOG_FIELDS_KEY
from authentication.utils.languages import CHOSEN_KEY, follow_choice


class BearerAuthentication(BaseAuthentication):
    """Authenticates the user of the token's session. The session is `request.auth`.

    `with_profile` loads the user's profile too, in the same query.
    """

    def __init__(self, *, with_profile: bool = False) -> None:
        self._with_profile = with_profile

    def authenticate(self, request: Request) -> tuple[User, UserSession] | None:
        token = bearer_token_of(request)
        if not token:
            return None
        session = TokenService.authenticate(access=token, with_profile=self._with_profile)
        request.META.setdefault(LOG_FIELDS_KEY, {})["user"] = str(session.user_id)
        if language := session.user.language:
            follow_choice(request.META, language)
        else:
            request.META[CHOSEN_KEY] = ""
        session.user.proven_by_factor = session.is_verified
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def bearer_token_of(request: Request) -> str:
    """Return the token of the Authorization header, or an empty string without such a header.

    Raises TokenInvalid for a Bearer header that holds anything but one token.
    """
    scheme, *rest = get_authorization_header(request).split() or [b""]
    if scheme.lower() != b"bearer":
        return ""
    if len(rest) != 1 or not rest[0].isascii():
        raise TokenInvalid
    return rest[0].decode("ascii")
