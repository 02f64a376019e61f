"""The base class of the pages behind mailed links."""

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_protect

from authentication.api.attempts import FIELDS_KEY
from authentication.api.limits import Rules, counting, settle_answer
from authentication.exceptions import LinkInvalid, Problem, RateLimited, ServiceUnavailable
from authentication.utils.durations import duration

from .form_outcomes import FormOutcome, SeeOther, done_url, is_done


@method_decorator(csrf_protect, name="dispatch")
class MailedLinkPage(View):
    """Base class of pages behind mailed links: GET shows a button, POST does the work.

    GET must not use up the token, because mail scanners open every link. POST answers by a redirect
    when it has worked, also when the form was sent twice.
    """

    template_name: ClassVar[str]
    limit: ClassVar[str]
    rules: ClassVar[Rules] = Rules(gives_back=True, by_device=True)

    def get(self, request: HttpRequest) -> HttpResponse:
        if is_done(request):
            return self.page(done=True)
        return self.page(token=request.GET.get("token", ""))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        outcome, response = FormOutcome(request), None
        if earlier := outcome.begin():
            return earlier
        try:
            response = self._counted(request)
        finally:
            outcome.finish(response)
        return response

    def done(self, **repeated: Any) -> SeeOther:
        """Redirect to the page that says that the form has worked."""
        return SeeOther(done_url(self.request), **repeated)

    def _counted(self, request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase
        try:
            with counting(self.limit, request, rules=self.rules) as attempt:
                response = self.act(request)
                settle_answer(attempt, response, self.rules)
        except LinkInvalid as refusal:
            response = self.refused(refusal, failed=True)
        except (RateLimited, ServiceUnavailable) as refusal:
            wait = duration(int(refusal.headers["Retry-After"]))
            response = self.refused(refusal, busy=True, wait=wait)
        for name, value in request.META.get(FIELDS_KEY, {}).items():
            response[name] = value
        return response

    def act(self, request: HttpRequest) -> HttpResponseBase:
        """Do what the page is for; raise a Problem if that is not possible."""
        raise NotImplementedError

    def refused(self, refusal: Problem, **context: Any) -> HttpResponse:
        """Show the page again with the status and headers of an error."""
        response = self.page(status=refusal.status, **context)
        for name, value in refusal.headers.items():
            response[name] = value
        return response

    def page(self, *, status: int = 200, **context: Any) -> HttpResponse:
        """Render the page."""
        return render(self.request, self.template_name, context, status=status)
