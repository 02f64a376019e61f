"""The HTML page behind the unsubscribe links of mails."""

from typing import Any

from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from authentication.api.limits import by_address, count
from authentication.exceptions import LinkInvalid, RateLimited
from authentication.services import DeliverabilityService
from authentication.services.mail import read_unsubscribe_token
from authentication.utils.client import ClientInfo
from authentication.utils.durations import duration

from .form_outcomes import SeeOther, done_url, is_done


def _token_of(request: HttpRequest) -> str:
    """Return the token from the form, or from the URL that a mail program posts to."""
    return request.POST.get("token") or request.GET.get("token", "")


def link_owner(request: HttpRequest) -> str:
    """Return the rate limit key: the user of a genuine link, else the client's address.

    Mail providers unsubscribe many users from few addresses.
    """
    try:
        return f"link:{read_unsubscribe_token(_token_of(request)).user_id}"
    except BadSignature:
        return by_address(request)


@method_decorator(csrf_exempt, name="dispatch")
class UnsubscribePage(View):
    """Turns notices off.

    It needs no CSRF token, because mail programs post to it directly (RFC 8058). The signed token
    in the URL is the proof, and can do nothing else.
    """

    limit = "notices"

    def get(self, request: HttpRequest) -> HttpResponse:
        if is_done(request):
            return self.page(done=True)
        return self.page(token=request.GET.get("token", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        token = _token_of(request)
        try:
            count(self.limit, request, key=link_owner)
            DeliverabilityService.unsubscribe(token=token, client=ClientInfo.of(request))
        except LinkInvalid as refusal:
            return self.page(status=refusal.status, failed=True)
        except RateLimited as refusal:
            seconds = refusal.headers["Retry-After"]
            response = self.page(status=refusal.status, busy=True, wait=duration(int(seconds)))
            response["Retry-After"] = seconds
            return response
        # RFC 8058: a mail program's request is not redirected.
        if "List-Unsubscribe" in request.POST:
            return self.page(done=True)
        return SeeOther(done_url(request))

    def page(self, *, status: int = 200, **context: Any) -> HttpResponse:
        """Render the page."""
        return render(self.request, "account/unsubscribe.html", context, status=status)
