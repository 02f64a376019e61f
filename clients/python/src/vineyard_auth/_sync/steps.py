# Written by clients/generate.py from _async/.
"""What may follow the right password besides a session."""

import dataclasses
from collections.abc import Callable

from vineyard_auth._problem import ProblemError
from vineyard_auth._unverified import EmailNotVerified
from vineyard_auth.types import SignedIn


@dataclasses.dataclass(frozen=True)
class MfaRequired:
    """The account has a second factor: ask for a code, and `verify` it."""

    methods: list[str]
    mfa_token: str = dataclasses.field(repr=False)
    _verify: Callable[[str, str], SignedIn] = dataclasses.field(repr=False)

    def verify(self, code: str) -> SignedIn:
        """Send a code of the app, or a recovery code. A wrong one may be tried again."""
        return self._verify(self.mfa_token, code)


@dataclasses.dataclass(frozen=True)
class ConsentRequired:
    """Newer documents are to be agreed to: show them, then `accept`."""

    documents: dict[str, str]
    _again: Callable[[dict[str, bool]], "LoginStep"] = dataclasses.field(repr=False)

    def accept(self) -> "LoginStep":
        """Agree to the documents, and go on."""
        return self._again({"terms_accepted": True, "privacy_policy_accepted": True})


@dataclasses.dataclass(frozen=True)
class DeletionPending:
    """The account is about to be deleted: ask, then `restore` it."""

    deletion_at: str
    _again: Callable[[dict[str, bool]], "LoginStep"] = dataclasses.field(repr=False)

    def restore(self) -> "LoginStep":
        """Keep the account, and go on."""
        return self._again({"restore": True})


LoginStep = SignedIn | MfaRequired | ConsentRequired | DeletionPending | EmailNotVerified


def follow(
    error: ProblemError,
    *,
    verify: Callable[[str, str], SignedIn],
    again: Callable[[dict[str, bool]], LoginStep],
) -> LoginStep:
    """Return the step that an error asks for; raise the error if it asks for none."""
    problem = error.problem
    if error.code == "mfa_required":
        return MfaRequired(problem["mfa_methods"], problem["mfa_token"], verify)
    if error.code == "consent_required":
        return ConsentRequired(problem["documents"], again)
    if error.code == "account_deletion_pending":
        return DeletionPending(problem["deletion_at"], again)
    if error.code == "email_not_verified":
        return EmailNotVerified(error.detail)
    raise error
