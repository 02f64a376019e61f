"""The HTML page behind the mail about the removal of a second factor."""

from django.http import HttpRequest, HttpResponse

from authentication.api.attempts import attempt_of
from authentication.services import SecondFactorRemovalService
from authentication.utils.client import ClientInfo

from .mailed_link_page import MailedLinkPage


class KeepSecondFactorPage(MailedLinkPage):
    """Stops the removal of a second factor by staff."""

    template_name = "account/keep_second_factor.html"
    limit = "email_undo"

    def act(self, request: HttpRequest) -> HttpResponse:
        SecondFactorRemovalService.stop(
            token=request.POST.get("token", ""),
            client=ClientInfo.of(request),
            limit=attempt_of(request),
        )
        return self.done()
