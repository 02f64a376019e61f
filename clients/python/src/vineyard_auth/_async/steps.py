"""What may follow the right password besides a session."""

import dataclasses
from collections.abc import Awaitable, Callable

from vineyard_auth._problem import ProblemError
from vineyard_auth._unverified import EmailNotVerified
from vineyard_auth.types import SignedIn


@dataclasses.dataclass(frozen=True)
class AsyncMfaRequired:
    """The account has a second factor: ask for a code, and `verify` it."""

    methods: list[str]
    mfa_token: str = dataclasses.field(repr=False)
    _verify: Callable[[str, str], Awaitable[SignedIn]] = dataclasses.field(repr=False)

    async def verify(self, code: str) -> SignedIn:
        """Send a code of the app, or a recovery code. A wrong one may be tried again."""
        return await self._verify(self.mfa_token, code)


@dataclasses.dataclass(frozen=True)
class AsyncConsentRequired:
    """Newer documents are to be agreed to: show them, then `accept`."""

    documents: dict[str, str]
    _again: Callable[[dict[str, bool]], Awaitable["AsyncLoginStep"]] = dataclasses.field(repr=False)

    async def accept(self) -> "AsyncLoginStep":
        """Agree to the documents, and go on."""
        return await self._again({"terms_accepted": True, "privacy_policy_accepted": True})


@dataclasses.dataclass(frozen=True)
class AsyncDeletionPending:
    """The account is about to be deleted: ask, then `restore` it."""

    deletion_at: str
    _again: Callable[[dict[str, bool]], Awaitable["AsyncLoginStep"]] = dataclasses.field(repr=False)

    async def restore(self) -> "AsyncLoginStep":
        """Keep the account, and go on."""
        return await self._again({"restore": True})


AsyncLoginStep = (
    SignedIn | AsyncMfaRequired | AsyncConsentRequired | AsyncDeletionPending | EmailNotVerified
)


def follow(
    error: ProblemError,
    *,
    verify: Callable[[str, str], Awaitable[SignedIn]],
    again: Callable[[dict[str, bool]], Awaitable[AsyncLoginStep]],
) -> AsyncLoginStep:
    """Return the step that an error asks for; raise the error if it asks for none."""
    problem = error.problem
    if error.code == "mfa_required":
        return AsyncMfaRequired(problem["mfa_methods"], problem["mfa_token"], verify)
    if error.code == "consent_required":
        return AsyncConsentRequired(problem["documents"], again)
    if error.code == "account_deletion_pending":
        return AsyncDeletionPending(problem["deletion_at"], again)
    if error.code == "email_not_verified":
        return EmailNotVerified(error.detail)
    raise error
