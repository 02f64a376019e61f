"""The service's own front end: pages whose scripts call the API."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from authentication.utils.languages import current


class FrontEndPage(TemplateView):
    """A page without personal data, the same for everyone; its scripts fill it."""

    template_name = "account/front_end.html"
    title: Any = ""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().get(request, *args, **kwargs)
        # SecurityHeadersMiddleware allows this answer its own scripts.
        response.is_front_end = True  # type: ignore[attr-defined]  # a mark for the middleware
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            title=self.title,
            min_length=settings.PASSWORD_MIN_LENGTH,
            grace_days=settings.ACCOUNT_DELETION_GRACE.days,
            is_consent_required=settings.REQUIRE_CONSENT,
            languages=dict(settings.LANGUAGES),
            words="" if current() == "en" else f"account/words/{current()}.json",
            terms_url=settings.TERMS_URL,
            privacy_policy_url=settings.PRIVACY_POLICY_URL,
            **kwargs,
        )


class WelcomePage(FrontEndPage):
    """Signs in with the exchange token of a verified address, which is in the URL's fragment.

    Browsers do not send fragments, so the token is not in any log.
    """

    template_name = "account/welcome.html"
    title = _("Email address confirmed")
