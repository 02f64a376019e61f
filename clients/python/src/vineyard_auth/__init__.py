"""Client of the authentication service of Vineyard Group Fellowship."""

from ._async.client import AsyncAuthClient
from ._async.steps import AsyncConsentRequired, AsyncDeletionPending, AsyncMfaRequired
from ._problem import ProblemError, SignedOutError
from ._storage import FileStorage, MemoryStorage, TokenStorage
from ._sync.client import AuthClient
from ._sync.steps import ConsentRequired, DeletionPending, MfaRequired
from ._unverified import EmailNotVerified

__all__ = [
    "AsyncAuthClient",
    "AsyncConsentRequired",
    "AsyncDeletionPending",
    "AsyncMfaRequired",
    "AuthClient",
    "ConsentRequired",
    "DeletionPending",
    "EmailNotVerified",
    "FileStorage",
    "MemoryStorage",
    "MfaRequired",
    "ProblemError",
    "SignedOutError",
    "TokenStorage",
]
