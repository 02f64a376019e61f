"""Sessions and tokens, for other apps: the services under the specification's name."""

from authentication.services import SessionService, TokenService

__all__ = ["SessionService", "TokenService"]
