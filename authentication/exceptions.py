"""The errors of the API: one class for each code, with status, title and default message."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _


class Problem(Exception):  # noqa: N818 -- the term of RFC 9457
    """Base class of the API's errors (RFC 9457), in the language of their request."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "server_error"
    title: ClassVar[Any] = _("Something went wrong")
    detail: Any = _("Something went wrong on our side. Please try again later.")
    wait: ClassVar[int | None] = None

    def __init__(
        self,
        detail: Any = None,
        *,
        errors: dict[str, Any] | None = None,  # messages by field
        retry_after: int | None = None,  # seconds
        headers: dict[str, str] | None = None,
        members: dict[str, Any] | None = None,  # more members of the body
    ) -> None:
        self.detail, self.errors = str(detail or self.detail), errors
        self.members, self.headers = dict(members or {}), dict(headers or {})
        if self.status == HTTPStatus.UNAUTHORIZED:
            self.headers.setdefault("WWW-Authenticate", "Bearer")
        if (seconds := self.wait if retry_after is None else retry_after) is not None:
            self.headers["Retry-After"] = str(max(1, seconds))
        super().__init__(self.detail)


class ServerError(Problem):
    """An unexpected error in the service."""


class ValidationFailed(Problem):
    """A field of the request is invalid; `errors` holds the messages by field."""

    status = 400
    code = "validation_error"
    title = _("Invalid input")
    detail = _("Please check the marked fields.")


class MalformedRequest(ValidationFailed):
    """The request could not be parsed."""

    detail = _("We could not read this request.")

    def __init__(self, detail: Any = None) -> None:
        super().__init__(detail, errors={"non_field_errors": [str(detail or self.detail)]})


class LinkInvalid(Problem):
    """A mailed link or an exchange token is unknown, used or expired."""

    status = 400
    code = "token_invalid"
    title = _("Invalid or expired link")
    detail = _("This link no longer works. Please ask for a new one.")


class TokenInvalid(Problem):
    """A JWT is missing, malformed, expired, revoked or of the wrong type."""

    status = 401
    code = "token_invalid"
    title = _("Not signed in")
    detail = _("You are not signed in. Please sign in to continue.")


class SessionOver(TokenInvalid):
    """A JWT is genuine, but its session has ended."""


class InvalidCredentials(Problem):
    """The account is unknown or the password wrong. The response does not reveal which."""

    status = 401
    code = "invalid_credentials"
    title = _("Invalid credentials")
    detail = _("That email, username or password is wrong. Please check and try again.")


class CodeInvalid(InvalidCredentials):
    """A code after a right password is wrong, used or expired. It is not revealed which."""

    code = "code_invalid"
    title = _("Wrong code")
    detail = _("That code didn't work. Please try the next one.")


class MfaRequired(Problem):
    """A code is needed after the right password; `mfa_token` continues the sign-in."""

    status = 403
    code = "mfa_required"
    title = _("Second factor needed")
    detail = _("Please enter the code from your authenticator app, or a recovery code.")


class PermissionRefused(Problem):
    """The user is signed in but lacks the permission."""

    status = 403
    code = "permission_denied"
    title = _("Not allowed")
    detail = _("You are not allowed to do this.")


class AccountLocked(Problem):
    """The account is locked after too many wrong passwords; Retry-After holds the seconds left."""

    status = 403
    code = "account_locked"
    title = _("Account locked")
    detail = _("Too many wrong attempts. Try again later, or reset your password to sign in now.")


class EmailNotVerified(Problem):
    """The password is right, but the email address is not verified yet."""

    status = 403
    code = "email_not_verified"
    title = _("Email not verified")
    detail = _("Please confirm your email address first. We can send you a new link.")


class AccountDisabled(Problem):
    """The password is right, but the account is disabled."""

    status = 403
    code = "account_disabled"
    title = _("Account disabled")
    detail = _("This account is disabled. Please contact support.")


class ReauthenticationRequired(Problem):
    """The operation needs a recent proof of identity, by POST auth/reauthenticate/."""

    status = 403
    code = "reauthentication_required"
    title = _("Please confirm that it is you")
    detail = _("First we need to know that it's you. Please enter your password or a code.")


class AccountDeletionPending(Problem):
    """The account will be deleted at `deletion_at` unless a sign-in with `restore` cancels it."""

    status = 403
    code = "account_deletion_pending"
    title = _("Account about to be deleted")
    detail = _("You asked us to delete this account. To keep it, sign in and choose restore.")


class ConsentRequired(Problem):
    """The user has not accepted the current versions, which `documents` lists by document."""

    status = 403
    code = "consent_required"
    title = _("Agreement needed")
    detail = _("Our terms or privacy policy have changed. Please accept them to continue.")


class CsrfFailed(Problem):
    """A browser's request may come from another site."""

    status = 403
    code = "csrf_failed"
    title = _("Cross-site request refused")
    detail = _(
        "This request did not come from a trusted page. Please reload the page and try again."
    )


class NotFound(Problem):
    """The resource does not exist, or belongs to another user."""

    status = 404
    code = "not_found"
    title = _("Not found")
    detail = _("There is nothing here.")


class MethodNotAllowed(Problem):
    """The URL does not support this method; the Allow header lists those it supports."""

    status = 405
    code = "method_not_allowed"
    title = _("Method not allowed")
    detail = _("This address does not accept that method.")


class NotAcceptable(Problem):
    """The client accepts no format that the API can produce."""

    status = 406
    code = "not_acceptable"
    title = _("Not acceptable")
    detail = _("We can only answer in JSON.")


class RequestTimedOut(Problem):
    """The request body did not arrive in time."""

    status = 408
    code = "request_timeout"
    title = _("Request timeout")
    detail = _("Your request did not arrive in time. Please send it again.")


class PayloadTooLarge(Problem):
    """The request body is over 64 KiB."""

    status = 413
    code = "payload_too_large"
    title = _("Request too large")
    detail = _("This request is too large. The limit is 64 KiB.")


class UnsupportedMediaType(Problem):
    """The request body is neither JSON nor a form in UTF-8."""

    status = 415
    code = "unsupported_media_type"
    title = _("Unsupported media type")
    detail = _("Please send JSON or a form, in UTF-8.")


class RateLimited(Problem):
    """A rate limit is exceeded; Retry-After holds the seconds to wait."""

    status = 429
    code = "rate_limited"
    title = _("Too many requests")
    detail = _("That was too often. Please wait a while, then try again.")


class ServiceUnavailable(Problem):
    """The database or Redis is down, or too many password hashes are waiting."""

    status = 503
    code = "service_unavailable"
    title = _("Service unavailable")
    detail = _("We can't answer right now. Please try again in a moment.")
    wait = 5
