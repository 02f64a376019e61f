"""Sessions and their tokens: issuing, refreshing, listing and ending them."""

from .sessions import SessionService
from .tokens import TokenPair, TokenService

__all__ = [
    "SessionService",
    "TokenPair",
    "TokenService",
]
