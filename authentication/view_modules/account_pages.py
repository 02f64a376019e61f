"""HTML pages behind mailed links, for deployments without a front end."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.generic import TemplateView

from authentication.api.attempts import attempt_of
from authentication.api.limits import Rules
from authentication.exceptions import (
    AccountLocked,
    LinkInvalid,
    Problem,
    ValidationFailed,
)
from authentication.serializers.email import EmailResendSerializer
from authentication.serializers.password import PasswordResetConfirmSerializer
from authentication.services import (
    ActivityService,
    ChangeUndoService,
    EmailChangeService,
    EmailVerificationService,
    ExportService,
    PasswordService,
)
from authentication.services.attempt_limit import AttemptLimit
from authentication.utils.client import ClientInfo
from authentication.utils.cookies import set_device_cookie

from .export import as_a_file
from .form_outcomes import SeeOther, done_url
from .mailed_link_page import MailedLinkPage

_DOUBLE_CLICK_SECONDS = 3
_NO_TIME_TO_TYPE_SECONDS = 10


class HomePage(TemplateView):
    """The start page, with links to everything else."""

    template_name = "account/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(has_mailbox=settings.DEVELOPMENT_MAILBOX, **kwargs)


class VerifyEmailPage(MailedLinkPage):
    """Verifies an email address."""

    template_name = "account/verify_email.html"
    limit = "email_verify"

    def act(self, request: HttpRequest) -> HttpResponse:
        token = request.POST.get("token", "")
        exchange_token = EmailVerificationService.verify(
            token=token, client=ClientInfo.of(request), limit=attempt_of(request)
        )
        if settings.EMAIL_VERIFIED_URL and exchange_token:
            # An exchange token that is used twice ends the session that it opened, so a repeated
            # form gets it only while the first answer cannot have been followed.
            return SeeOther(
                settings.EMAIL_VERIFIED_URL.replace("{exchange_token}", exchange_token),
                repeated_for=_DOUBLE_CLICK_SECONDS,
                later=done_url(request),
            )
        return self.done()

    def refused(self, refusal: Problem, **context: Any) -> HttpResponse:
        """Redirect to the front end's page for links that do not work, if it has one."""
        if isinstance(refusal, LinkInvalid) and settings.EMAIL_VERIFY_ERROR_URL:
            location = settings.EMAIL_VERIFY_ERROR_URL.replace("{reason}", refusal.code)
            return HttpResponseRedirect(location, status=HTTPStatus.SEE_OTHER)
        return super().refused(refusal, **context)


class DisownSessionPage(MailedLinkPage):
    """Signs an unknown device out and redirects to the page for a new password."""

    template_name = "account/not_me.html"
    limit = "session_disown"

    def act(self, request: HttpRequest) -> HttpResponse:
        token = request.POST.get("token", "")
        reset_token = ActivityService.disown_by_mail(
            token=token, client=ClientInfo.of(request), limit=attempt_of(request)
        )
        return SeeOther(settings.PASSWORD_RESET_URL.replace("{token}", reset_token))


class ConfirmEmailPage(MailedLinkPage):
    """Confirms a new email address."""

    template_name = "account/confirm_email.html"
    limit = "email_verify"

    def act(self, request: HttpRequest) -> HttpResponse:
        EmailChangeService.confirm(
            token=request.POST.get("token", ""),
            client=ClientInfo.of(request),
            limit=attempt_of(request),
        )
        return self.done()


class UndoEmailPage(MailedLinkPage):
    """Restores the old email address and redirects to the page for a new password."""

    template_name = "account/undo_email.html"
    limit = "email_undo"

    def act(self, request: HttpRequest) -> HttpResponse:
        reset_token = EmailChangeService.undo(
            token=request.POST.get("token", ""),
            client=ClientInfo.of(request),
            limit=attempt_of(request),
        )
        return SeeOther(settings.PASSWORD_RESET_URL.replace("{token}", reset_token))


class UndoChangePage(MailedLinkPage):
    """Undoes a sensitive change and redirects to the page for a new password."""

    template_name = "account/undo_change.html"
    limit = "session_disown"

    def act(self, request: HttpRequest) -> HttpResponse:
        token = request.POST.get("token", "")
        reset_token = ChangeUndoService.undo(
            token=token, client=ClientInfo.of(request), limit=attempt_of(request)
        )
        return SeeOther(settings.PASSWORD_RESET_URL.replace("{token}", reset_token))


class DownloadExportPage(MailedLinkPage):
    """Asks for the password and returns the export of personal data as a file."""

    template_name = "account/download_export.html"
    limit = "account_data"
    rules = Rules(gives_back=True)

    def act(self, request: HttpRequest) -> HttpResponseBase:
        given = {name: request.POST.get(name, "") for name in ("token", "password", "otp")}
        try:
            held = ExportService.download_by_mail(**given, client=ClientInfo.of(request))
            return as_a_file(held)
        except ValidationFailed as refusal:
            return self.refused(refusal, token=given["token"], errors=_messages_of(refusal))
        except AccountLocked as refusal:
            return self.refused(refusal, token=given["token"], errors=[refusal.detail])


class AskForMailPage(MailedLinkPage):
    """Base class of forms that mail a link to an address.

    The response is the same for every address, so that it does not reveal accounts.
    """

    rules = Rules(by_device=True)

    def act(self, request: HttpRequest) -> HttpResponse:
        given = EmailResendSerializer(data=request.POST)
        if not given.is_valid():
            refusal = ValidationFailed(errors=dict(given.errors))
            return self.refused(
                refusal, errors=_messages_of(refusal), email=request.POST.get("email", "")
            )
        self.send(
            email=given.validated_data["email"],
            client=ClientInfo.of(request),
            limit=attempt_of(request),
        )
        return self.done()

    def send(self, *, email: str, client: ClientInfo, limit: AttemptLimit) -> None:
        """Mail the link if the address has an account that needs it."""
        raise NotImplementedError


class ForgotPasswordPage(AskForMailPage):
    """Mails a link to choose a new password."""

    template_name = "account/forgot_password.html"
    limit = "password_reset"

    def send(self, *, email: str, client: ClientInfo, limit: AttemptLimit) -> None:
        PasswordService.request_reset(email=email, client=client, limit=limit)


class ResendVerificationPage(AskForMailPage):
    """Mails a new verification link."""

    template_name = "account/resend_verification.html"
    limit = "email_resend"

    def send(self, *, email: str, client: ClientInfo, limit: AttemptLimit) -> None:
        EmailVerificationService.resend(email=email, client=client, limit=limit)


class ResetPasswordPage(MailedLinkPage):
    """Sets a new password."""

    template_name = "account/reset_password.html"
    limit = "password_reset_confirm"

    def page(self, *, status: int = 200, **context: Any) -> HttpResponse:
        """Render the page, with the minimum length of passwords."""
        return super().page(status=status, min_length=settings.PASSWORD_MIN_LENGTH, **context)

    def act(self, request: HttpRequest) -> HttpResponse:
        given = PasswordResetConfirmSerializer(data=request.POST)
        try:
            if not given.is_valid():
                password = given.accepted.get("new_password")
                weak = PasswordService.weaknesses(password, field="new_password")
                raise ValidationFailed(errors={**weak, **given.errors})
            device_id = PasswordService.reset(
                **given.validated_data, client=ClientInfo.of(request), limit=attempt_of(request)
            )
        except ValidationFailed as refusal:
            return self.refused(
                refusal, token=request.POST.get("token", ""), errors=_messages_of(refusal)
            )
        # A form that comes later may hold another password, which was not set.
        response = self.done(repeated_for=_NO_TIME_TO_TYPE_SECONDS)
        if settings.ENABLE_COOKIE_REFRESH_TOKEN:
            set_device_cookie(response, device_id)
        return response


def _messages_of(refusal: ValidationFailed) -> list[str]:
    return [str(message) for found in (refusal.errors or {}).values() for message in found]
