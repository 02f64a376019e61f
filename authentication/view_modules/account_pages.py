"""Pages of the service's own, for people who come from a mail and have no front end to go to."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.generic import TemplateView

from authentication.api.limits import FIELDS_KEY, by_address, count
from authentication.exceptions import (
    AccountLocked,
    LinkInvalid,
    Problem,
    RateLimited,
    ServiceUnavailable,
    ValidationFailed,
)
from authentication.serializers.email import EmailResendSerializer
from authentication.serializers.password import PasswordResetConfirmSerializer
from authentication.services import (
    ActivityService,
    DeliverabilityService,
    EmailChangeService,
    EmailVerificationService,
    ExportService,
    PasswordService,
)
from authentication.services.mail import read_unsubscribe_token
from authentication.utils.client import ClientInfo

from .export import as_a_file


class HomePage(TemplateView):
    """Says where everything is."""

    template_name = "account/home.html"


@method_decorator(csrf_protect, name="dispatch")
class MailedLinkPage(View):
    """The page a mailed link leads to, with a button that does what the mail says.

    Opening the page spends nothing: mail scanners open every link, and some run its scripts.
    """

    template_name: ClassVar[str]
    limit: ClassVar[str]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(token=request.GET.get("token", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            count(self.limit, request)
            return self.act(request)
        except LinkInvalid as refusal:
            return self.refused(refusal, failed=True)
        except (RateLimited, ServiceUnavailable) as refusal:
            return self.refused(refusal, busy=True)

    def act(self, request: HttpRequest) -> HttpResponse:
        """Do what the mail says; raises a Problem where that cannot be done."""
        raise NotImplementedError

    def refused(self, refusal: Problem, **facts: Any) -> HttpResponse:
        """Show why it could not be done."""
        response = self.page(status=refusal.status, **facts)
        for name, value in refusal.headers.items():
            response[name] = value
        return response

    def page(self, *, status: int = 200, **facts: Any) -> HttpResponse:
        """Show the page."""
        response = render(self.request, self.template_name, facts, status=status)
        for name, value in self.request.META.get(FIELDS_KEY, {}).items():
            response[name] = value
        return response


class VerifyEmailPage(MailedLinkPage):
    """A button that proves an address."""

    template_name = "account/verify_email.html"
    limit = "email_verify"

    def act(self, request: HttpRequest) -> HttpResponse:
        token = request.POST.get("token", "")
        exchange_token = EmailVerificationService.verify(token=token, client=ClientInfo.of(request))
        if settings.EMAIL_VERIFIED_URL and exchange_token:
            return HttpResponseRedirect(
                settings.EMAIL_VERIFIED_URL.replace("{exchange_token}", exchange_token)
            )
        return self.page(done=True)


class DisownSessionPage(MailedLinkPage):
    """A button that signs an unknown device out, and leads to the form for a new password."""

    template_name = "account/not_me.html"
    limit = "session_disown"

    def act(self, request: HttpRequest) -> HttpResponse:
        token = request.POST.get("token", "")
        reset_token = ActivityService.disown_by_mail(token=token, client=ClientInfo.of(request))
        return HttpResponseRedirect(settings.PASSWORD_RESET_URL.replace("{token}", reset_token))


class ConfirmEmailPage(MailedLinkPage):
    """A button that moves the account to the address the mail went to."""

    template_name = "account/confirm_email.html"
    limit = "email_verify"

    def act(self, request: HttpRequest) -> HttpResponse:
        EmailChangeService.confirm(
            token=request.POST.get("token", ""), client=ClientInfo.of(request)
        )
        return self.page(done=True)


class UndoEmailPage(MailedLinkPage):
    """A button that brings the old address back, and leads to the form for a new password."""

    template_name = "account/undo_email.html"
    limit = "email_verify"

    def act(self, request: HttpRequest) -> HttpResponse:
        reset_token = EmailChangeService.undo(
            token=request.POST.get("token", ""), client=ClientInfo.of(request)
        )
        return HttpResponseRedirect(settings.PASSWORD_RESET_URL.replace("{token}", reset_token))


class DownloadExportPage(MailedLinkPage):
    """A form that asks for the password, and answers with the copy of a person's data."""

    template_name = "account/download_export.html"
    limit = "account_data"

    def act(self, request: HttpRequest) -> HttpResponse:
        given = {name: request.POST.get(name, "") for name in ("token", "password", "otp")}
        try:
            held = ExportService.download_by_mail(**given, client=ClientInfo.of(request))
            return HttpResponse(held, content_type="application/json", headers=as_a_file())
        except ValidationFailed as refusal:
            return self.refused(refusal, token=given["token"], errors=_messages_of(refusal))
        except AccountLocked as refusal:
            return self.refused(refusal, token=given["token"], errors=[refusal.detail])


def unsubscribe_token_of(request: HttpRequest) -> str:
    """Return the token of the form, or of the address a mail program posts to."""
    return request.POST.get("token") or request.GET.get("token", "")


def unsubscribe_link(request: HttpRequest) -> str:
    """Count by the person a genuine link is of: mail providers press the links of many people from few addresses."""
    try:
        return f"link:{read_unsubscribe_token(unsubscribe_token_of(request))}"
    except BadSignature:
        return by_address(request)


@method_decorator(csrf_exempt, name="dispatch")
class UnsubscribePage(View):
    """A button that ends notices; a mail program presses it without a page (RFC 8058), and so without a CSRF token.

    The token in the address is the proof, and all it can do is end notices.
    """

    limit = "notices"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page(token=request.GET.get("token", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        token = unsubscribe_token_of(request)
        try:
            count(self.limit, request, key=unsubscribe_link)
            DeliverabilityService.unsubscribe(token=token, client=ClientInfo.of(request))
        except LinkInvalid as refusal:
            return self.page(status=refusal.status, failed=True)
        except RateLimited as refusal:
            response = self.page(status=refusal.status, busy=True)
            response["Retry-After"] = refusal.headers["Retry-After"]
            return response
        return self.page(done=True)

    def page(self, *, status: int = 200, **facts: Any) -> HttpResponse:
        """Show the page."""
        return render(self.request, "account/unsubscribe.html", facts, status=status)


class AskForMailPage(MailedLinkPage):
    """A form that asks for an address, and has a link mailed there; it says the same of every address.

    Mails tell people to ask for one; without a front end this is where.
    """

    def act(self, request: HttpRequest) -> HttpResponse:
        given = EmailResendSerializer(data=request.POST)
        if not given.is_valid():
            refusal = ValidationFailed(errors=dict(given.errors))
            return self.refused(
                refusal, errors=_messages_of(refusal), email=request.POST.get("email", "")
            )
        self.send(email=given.validated_data["email"], client=ClientInfo.of(request))
        return self.page(done=True)

    def send(self, *, email: str, client: ClientInfo) -> None:
        """Have the link mailed, if there is anybody to mail it to."""
        raise NotImplementedError


class ForgotPasswordPage(AskForMailPage):
    """Where to ask for a link to choose a new password."""

    template_name = "account/forgot_password.html"
    limit = "password_reset"

    def send(self, *, email: str, client: ClientInfo) -> None:
        PasswordService.request_reset(email=email, client=client)


class ResendVerificationPage(AskForMailPage):
    """Where to ask for another link to prove an address."""

    template_name = "account/resend_verification.html"
    limit = "email_resend"

    def send(self, *, email: str, client: ClientInfo) -> None:
        EmailVerificationService.resend(email=email, client=client)


class ResetPasswordPage(MailedLinkPage):
    """A form that asks for a new password."""

    template_name = "account/reset_password.html"
    limit = "password_reset_confirm"

    def page(self, *, status: int = 200, **facts: Any) -> HttpResponse:
        """Show the page, with the length that a password must have."""
        return super().page(status=status, shortest=settings.PASSWORD_MIN_LENGTH, **facts)

    def act(self, request: HttpRequest) -> HttpResponse:
        given = PasswordResetConfirmSerializer(data=request.POST)
        try:
            if not given.is_valid():
                raise ValidationFailed(errors=dict(given.errors))
            PasswordService.reset(**given.validated_data, client=ClientInfo.of(request))
        except ValidationFailed as refusal:
            return self.refused(
                refusal, token=request.POST.get("token", ""), errors=_messages_of(refusal)
            )
        return self.page(done=True)


def _messages_of(refusal: ValidationFailed) -> list[str]:
    return [str(message) for found in (refusal.errors or {}).values() for message in found]
