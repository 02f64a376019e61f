"""The admin site and its sign-in form, which uses the same service as the API."""

from http import HTTPStatus
from typing import Any, NoReturn

from django import forms
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from authentication.api.attempts import attempt_of
from authentication.api.languages import in_own_language
from authentication.api.limits import Rules, counting, settle_answer
from authentication.api.malformed import refuse_malformed
from authentication.api.zones import in_own_zone
from authentication.exceptions import Problem, RateLimited, ValidationFailed
from authentication.services import AdminEnrolmentService, AuthenticationService
from authentication.services.attempt_limit import UNLIMITED
from authentication.services.sign_in import FactorMissing
from authentication.utils.client import LOG_FIELDS_KEY, ClientInfo
from authentication.utils.cookies import set_device_cookie
from authentication.utils.one_time_codes import LONGEST_TYPED

from .admin_confirm import confirm_page
from .admin_enrolment import AdminEnrolmentPage, begin_enrolment
from .front_page import front_page

# The form shows refusals with the status 200, so the view gives back what succeeded itself.
_RULES = Rules(by_device=True)
_ENROLMENT_KEY = "authentication.enrolment"


class AdminLoginForm(AdminAuthenticationForm):
    """Sign-in through AuthenticationService: same rate limit, lockout and audit as the API."""

    otp = forms.CharField(
        label=_("Code"),
        required=False,
        strip=False,
        max_length=LONGEST_TYPED,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}),
        help_text=_(
            "From your authenticator app, if you have set one up. A recovery code works too."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Email or username")

    def clean(self) -> dict[str, Any]:
        identifier, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if identifier and password:
            client = ClientInfo.of(self.request) if self.request else ClientInfo()
            limit: Any = attempt_of(self.request) if self.request else UNLIMITED
            try:
                self.user_cache = AuthenticationService.admit_to_admin(
                    identifier=identifier,
                    password=password,
                    otp=self.cleaned_data.get("otp", ""),
                    client=client,
                    limit=limit,
                )
            except FactorMissing as missing:
                self._begin_enrolment(missing, password, client)
            except ValidationFailed as refusal:
                raise forms.ValidationError(refusal.errors or {}) from None
            except Problem as refusal:
                if isinstance(refusal, RateLimited) and self.request and limit.is_over:
                    # A page of its own, as for a client without a device.
                    raise
                raise forms.ValidationError(refusal.detail, code=refusal.code) from None
        return self.cleaned_data

    def _begin_enrolment(self, missing: FactorMissing, password: str, client: ClientInfo) -> None:
        """Leave an enrolment with the request, for the view to go on with."""
        if self.request is None:
            raise forms.ValidationError(missing.detail, code=missing.code)
        try:
            enrolment = AdminEnrolmentService.begin(missing, password=password, client=client)
        except Problem as refusal:
            raise forms.ValidationError(refusal.detail, code=refusal.code) from None
        self.request.META[_ENROLMENT_KEY] = enrolment
        raise forms.ValidationError(missing.detail, code=missing.code)


class ServiceAdminSite(AdminSite):
    """Django's admin without its own sign-in and password change."""

    site_header = site_title = "Vineyard Group Fellowship"
    index_title = _("Today")
    index_template = "admin/front_page.html"
    login_form = AdminLoginForm
    login_template = "admin/login_with_code.html"

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method != "POST":
            return super().login(request, extra_context)
        try:
            with counting("login", request, rules=_RULES) as attempt:
                response = super().login(request, extra_context)
                settle_answer(attempt, response, _RULES)
        except RateLimited as refusal:
            return self._busy(request, refusal)
        if enrolment := request.META.pop(_ENROLMENT_KEY, None):
            attempt.give_back()
            response = begin_enrolment(request, enrolment)
            set_device_cookie(response, enrolment.device_id)
            return response
        if response.status_code == HTTPStatus.FOUND:
            attempt.give_back()
            user: Any = request.user
            client = ClientInfo.of(request)
            set_device_cookie(response, AuthenticationService.remember_device(user, client=client))
        return response

    def get_urls(self) -> list[Any]:
        """Add the page that sets up a second factor, before the sign-in, and the one that asks."""
        page = AdminEnrolmentPage.as_view()
        return [
            path("set-up-two-step/", page, name="enrolment"),
            path("confirm/", self.admin_view(self.confirm), name="confirm"),
            *super().get_urls(),
        ]

    def confirm(self, request: HttpRequest) -> HttpResponse:
        """Ask a member of staff again who they are."""
        return confirm_page(request, self.each_context(request))

    def _busy(self, request: HttpRequest, refusal: RateLimited) -> HttpResponse:
        context = {
            **self.each_context(request),
            "title": refusal.title,
            "detail": refusal.detail,
            "is_nav_sidebar_enabled": False,
        }
        return TemplateResponse(
            request, "admin/busy.html", context, status=refusal.status, headers=refusal.headers
        )

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show how the service does before the lists of its tables."""
        return super().index(request, {**(extra_context or {}), **front_page(request)})

    def admin_view(
        self,
        view: Any,
        cacheable: bool = False,  # noqa: FBT001, FBT002 -- Django's signature
    ) -> Any:
        """Wrap a view: times are in the reader's zone, a value that no row can hold is a 400."""
        return super().admin_view(in_own_zone(in_own_language(refuse_malformed(view))), cacheable)

    def has_permission(self, request: HttpRequest) -> bool:
        if request.user.is_authenticated:
            request.META.setdefault(LOG_FIELDS_KEY, {})["user"] = str(request.user.pk)
        # A signed-in user with a second factor has entered a code (see User.get_session_auth_hash).
        is_protected = (
            not settings.ADMIN_REQUIRE_OTP
            or getattr(request.user, "second_factor_at", None) is not None
        )
        return is_protected and super().has_permission(request)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> NoReturn:
        """Answer 404: passwords change through the API or a reset link, with policy and audit."""
        raise Http404

    def autocomplete_view(self, request: HttpRequest) -> NoReturn:
        """Answer 404: no table uses it, and Django's view fails for some of its own relations."""
        raise Http404

    def password_change_done(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> NoReturn:
        raise Http404
