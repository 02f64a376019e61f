"""Every failure a client can see: its class, code, status and message (contract 3)."""

from typing import Any, ClassVar


class Problem(Exception):  # noqa: N818 -- RFC 9457's own word for it
    """A refusal with an answer of its own; raise a subclass."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "server_error"
    title: ClassVar[str] = "Something went wrong"
    detail: str = "Something went wrong on our side. Please try again later."

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: dict[str, Any] | None = None,
        retry_after: int | None = None,
        headers: dict[str, str] | None = None,
        members: dict[str, Any] | None = None,
    ) -> None:
        self.detail = detail or self.detail
        self.errors = errors
        self.members = dict(members or {})
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, retry_after))
        super().__init__(self.detail)


class ServerError(Problem):
    """A fault of the service itself."""


class ValidationFailed(Problem):
    """Some field does not hold what it should; `errors` says which and why."""

    status = 400
    code = "validation_error"
    title = "Invalid input"
    detail = "Please correct the fields named in errors."


class MalformedRequest(ValidationFailed):
    """The request could not be read at all."""

    detail = "The request could not be read."

    def __init__(self, detail: str | None = None, **kwargs: Any) -> None:
        super().__init__(detail, **kwargs)
        self.errors = {"non_field_errors": [self.detail]}


class LinkInvalid(Problem):
    """An emailed or exchange token that is unknown, used or expired."""

    status = 400
    code = "token_invalid"
    title = "Invalid or expired link"
    detail = "This link or token is not valid any more. Please ask for a new one."


class TokenInvalid(Problem):
    """A token that is missing, malformed, expired, revoked or of the wrong type."""

    status = 401
    code = "token_invalid"
    title = "Not signed in"
    detail = "Your session is not valid. Please sign in."

    def __init__(self, detail: str | None = None, **kwargs: Any) -> None:
        super().__init__(detail, **kwargs)
        self.headers["WWW-Authenticate"] = "Bearer"


class SessionOver(TokenInvalid):
    """A genuine token of a session that is over for good."""


class InvalidCredentials(Problem):
    """No such account, or not its password; nobody is told which."""

    status = 401
    code = "invalid_credentials"
    title = "Invalid credentials"
    detail = "The email, username or password is not right."

    def __init__(self, detail: str | None = None, **kwargs: Any) -> None:
        super().__init__(detail, **kwargs)
        self.headers["WWW-Authenticate"] = "Bearer"


class CodeInvalid(InvalidCredentials):
    """A wrong, used or late code of a second factor; nobody is told which."""

    detail = "The code is not right."


class MfaRequired(Problem):
    """The right password of an account with a second factor; `mfa_token` goes on with the sign-in."""

    status = 403
    code = "mfa_required"
    title = "Second factor needed"
    detail = "Please enter the code of your authenticator app, or a recovery code."


class PermissionRefused(Problem):
    """The person is known but may not do this."""

    status = 403
    code = "permission_denied"
    title = "Not allowed"
    detail = "You are not allowed to do this."


class AccountLocked(Problem):
    """Too many wrong passwords; `Retry-After` says when to come back."""

    status = 403
    code = "account_locked"
    title = "Account locked"
    detail = "Too many failed attempts. Try again later, or reset your password to sign in now."


class EmailNotVerified(Problem):
    """The right password for an account whose address is not proven yet."""

    status = 403
    code = "email_not_verified"
    title = "Email not verified"
    detail = "Please verify your email address first. We can send you the link again."


class AccountDisabled(Problem):
    """The right password for an account that is closed."""

    status = 403
    code = "account_disabled"
    title = "Account disabled"
    detail = "This account is disabled. Please contact support."


class ReauthenticationRequired(Problem):
    """A grave act whose person proved who they are too long ago; POST auth/reauthenticate/ proves it anew."""

    status = 403
    code = "reauthentication_required"
    title = "Please prove that it is you"
    detail = "Please confirm that it is you before you do this."


class AccountDeletionPending(Problem):
    """The right password of an account that is about to be deleted; `restore` takes that back until `deletion_at`."""

    status = 403
    code = "account_deletion_pending"
    title = "Account about to be deleted"
    detail = "You asked us to delete this account. Sign in with restore to keep it."


class ConsentRequired(Problem):
    """The right password of somebody who has not agreed to what is in force; `documents` names it."""

    status = 403
    code = "consent_required"
    title = "Agreement needed"
    detail = "Our terms or our privacy policy have changed. Please agree to them to go on."


class CsrfFailed(Problem):
    """A browser's request that may have been made by another site."""

    status = 403
    code = "csrf_failed"
    title = "Cross-site request refused"
    detail = "This request did not come from a trusted page. Please reload and try again."


class NotFound(Problem):
    """Nothing here, or nothing of yours."""

    status = 404
    code = "not_found"
    title = "Not found"
    detail = "There is nothing here."


class MethodNotAllowed(Problem):
    """The address exists, but not for this method; `Allow` lists those it takes."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"
    detail = "This address does not take that method."


class NotAcceptable(Problem):
    """The client wants a representation that does not exist."""

    status = 406
    code = "not_acceptable"
    title = "Not acceptable"
    detail = "The answer can only be given as JSON."


class PayloadTooLarge(Problem):
    """A body over 64 KiB."""

    status = 413
    code = "payload_too_large"
    title = "Request too large"
    detail = "The request body is larger than 64 KiB."


class UnsupportedMediaType(Problem):
    """A body that is neither JSON nor a form in UTF-8."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"
    detail = "Send JSON or a form, in UTF-8."


class RateLimited(Problem):
    """Too many requests; `Retry-After` says when to come back."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"
    detail = "Too many requests. Please try again later."


class ServiceUnavailable(Problem):
    """A store that the answer needs is down, or the service is too busy to hash a password now."""

    status = 503
    code = "service_unavailable"
    title = "Service unavailable"
    detail = "The service cannot answer just now. Please try again in a moment."

    def __init__(self, detail: str | None = None, *, retry_after: int = 5, **kwargs: Any) -> None:
        super().__init__(detail, retry_after=retry_after, **kwargs)
