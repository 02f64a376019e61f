"""The mailbox of development, in which the mails of the embedded mode are read."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin

from authentication.services.mail import Mail, MailboxService

_FORMS = ("html", "phone", "text", "source")


@method_decorator(never_cache, name="dispatch")
class _MailboxView(View):
    """A page that exists in the embedded mode alone: mails hold links that sign in."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.DEVELOPMENT_MAILBOX:
            raise Http404
        return super().dispatch(request, *args, **kwargs)


class MailboxPage(_MailboxView):
    """Lists the mails, the newest first, and the previews."""

    def get(self, request: HttpRequest) -> HttpResponse:
        previews = [
            {"name": name, "words": name.removeprefix("preview-").replace("_", " ")}
            for name in MailboxService.previews()
        ]
        shown = {
            "mails": MailboxService.newest(),
            "previews": previews,
            "folder": settings.EMAIL_FILE_PATH,
        }
        return render(request, "dev/mailbox.html", shown)


class MailPage(_MailboxView):
    """Shows a mail as HTML, as on a phone, as text or as its source, with its links."""

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        form = request.GET.get("as", _FORMS[0])
        if form not in _FORMS:
            raise Http404
        return render(request, "dev/mail.html", {"mail": _mail(name), "form": form})


@method_decorator(xframe_options_sameorigin, name="dispatch")
class MailHtml(_MailboxView):
    """The HTML of a mail, for a sandboxed frame of its page."""

    def get(self, request: HttpRequest, name: str) -> HttpResponse:
        # Its links open in the whole window: pages of this service are shown in no frame.
        html = _mail(name).html.replace("<head>", '<head><base target="_top">', 1)
        return HttpResponse(html)


def _mail(name: str) -> Mail:
    mail = MailboxService.mail(name)
    if mail is None:
        raise Http404
    return mail
