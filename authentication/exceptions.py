"""The errors of the API: one class for each code, with status, title and default message."""

from http import HTTPStatus
from typing import Any, ClassVar


class Problem(Exception):  # noqa: N818 -- the term of RFC 9457
    """Base class of all errors that become a problem+json response (RFC 9457).

    `errors` holds messages by field, `members` further members of the body, `retry_after` seconds.
    """

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
        self.detail, self.errors, self.members = detail or self.detail, errors, dict(members or {})
        challenge = {"WWW-Authenticate": "Bearer"} if self.status == HTTPStatus.UNAUTHORIZED else {}
        self.headers = {**challenge, **(headers or {})}
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, retry_after))
        super().__init__(self.detail)


class ServerError(Problem):
    """An unexpected error in the service."""


class ValidationFailed(Problem):
    """A field of the request is invalid; `errors` holds the messages by field."""

    status = 400
    code = "validation_error"
    title = "Invalid input"
    detail = "Please check the marked fields."


class MalformedRequest(ValidationFailed):
    """The request could not be parsed."""

    detail = "We could not read this request."

    def __init__(self, detail: str | None = None, **kwargs: Any) -> None:
        super().__init__(detail, **kwargs)
        self.errors = {"non_field_errors": [self.detail]}


class LinkInvalid(Problem):
    """A mailed link or an exchange token is unknown, used or expired."""

    status = 400
    code = "token_invalid"
    title = "Invalid or expired link"
    detail = "This link no longer works. Please ask for a new one."


class TokenInvalid(Problem):
    """A JWT is missing, malformed, expired, revoked or of the wrong type."""

    status = 401
    code = "token_invalid"
    title = "Not signed in"
    detail = "You are not signed in. Please sign in to continue."


class SessionOver(TokenInvalid):
    """A JWT is genuine, but its session has ended."""


class InvalidCredentials(Problem):
    """The account is unknown or the password wrong. The response does not reveal which."""

    status = 401
    code = "invalid_credentials"
    title = "Invalid credentials"
    detail = "That email, username or password is wrong. Please check and try again."


class CodeInvalid(InvalidCredentials):
    """A code after a right password is wrong, used or expired. It is not revealed which."""

    code = "code_invalid"
    title = "Wrong code"
    detail = "That code didn't work. Please try the next one."


class MfaRequired(Problem):
    """A code is needed after the right password; `mfa_token` continues the sign-in."""

    status = 403
    code = "mfa_required"
    title = "Second factor needed"
    detail = "Please enter the code from your authenticator app, or a recovery code."


class PermissionRefused(Problem):
    """The user is signed in but lacks the permission."""

    status = 403
    code = "permission_denied"
    title = "Not allowed"
    detail = "You are not allowed to do this."


class AccountLocked(Problem):
    """The account is locked after too many wrong passwords; Retry-After holds the seconds left."""

    status = 403
    code = "account_locked"
    title = "Account locked"
    detail = "Too many wrong attempts. Try again later, or reset your password to sign in now."


class EmailNotVerified(Problem):
    """The password is right, but the email address is not verified yet."""

    status = 403
    code = "email_not_verified"
    title = "Email not verified"
    detail = "Please confirm your email address first. We can send you a new link."


class AccountDisabled(Problem):
    """The password is right, but the account is disabled."""

    status = 403
    code = "account_disabled"
    title = "Account disabled"
    detail = "This account is disabled. Please contact support."


class ReauthenticationRequired(Problem):
    """The operation needs a recent proof of identity, by POST auth/reauthenticate/."""

    status = 403
    code = "reauthentication_required"
    title = "Please confirm that it is you"
    detail = "First we need to know that it's you. Please enter your password or a code."


class AccountDeletionPending(Problem):
    """The account will be deleted at `deletion_at` unless a sign-in with `restore` cancels it."""

    status = 403
    code = "account_deletion_pending"
    title = "Account about to be deleted"
    detail = "You asked us to delete this account. To keep it, sign in and choose restore."


class ConsentRequired(Problem):
    """The user has not accepted the current versions, which `documents` lists by document."""

    status = 403
    code = "consent_required"
    title = "Agreement needed"
    detail = "Our terms or privacy policy have changed. Please accept them to continue."


class CsrfFailed(Problem):
    """A browser's request may come from another site."""

    status = 403
    code = "csrf_failed"
    title = "Cross-site request refused"
    detail = "This request did not come from a trusted page. Please reload the page and try again."


class NotFound(Problem):
    """The resource does not exist, or belongs to another user."""

    status = 404
    code = "not_found"
    title = "Not found"
    detail = "There is nothing here."


class MethodNotAllowed(Problem):
    """The URL does not support this method; the Allow header lists those it supports."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"
    detail = "This address does not accept that method."


class NotAcceptable(Problem):
    """The client accepts no format that the API can produce."""

    status = 406
    code = "not_acceptable"
    title = "Not acceptable"
    detail = "We can only answer in JSON."


class RequestTimedOut(Problem):
    """The request body did not arrive in time."""

    status = 408
    code = "request_timeout"
    title = "Request timeout"
    detail = "Your request did not arrive in time. Please send it again."


class PayloadTooLarge(Problem):
    """The request body is over 64 KiB."""

    status = 413
    code = "payload_too_large"
    title = "Request too large"
    detail = "This request is too large. The limit is 64 KiB."


class UnsupportedMediaType(Problem):
    """The request body is neither JSON nor a form in UTF-8."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"
    detail = "Please send JSON or a form, in UTF-8."


class RateLimited(Problem):
    """A rate limit is exceeded; Retry-After holds the seconds to wait."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"
    detail = "That was too often. Please wait a while, then try again."


class ServiceUnavailable(Problem):
    """The database or Redis is down, or too many password hashes are waiting."""

    status = 503
    code = "service_unavailable"
    title = "Service unavailable"
    detail = "We can't answer right now. Please try again in a moment."

    def __init__(self, detail: str | None = None, *, retry_after: int = 5, **kwargs: Any) -> None:
        super().__init__(detail, retry_after=retry_after, **kwargs)
