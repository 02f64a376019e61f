"""Addresses that programs know beforehand (RFC 8615)."""

import datetime as dt

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views import View

_DAY = 24 * 60 * 60
_VALID_FOR = dt.timedelta(days=180)


class ChangePasswordView(View):
    """Leads password managers to the page where a password is changed."""

    def get(self, request: HttpRequest) -> HttpResponse:
        answer = HttpResponse(status=302, headers={"Cache-Control": "no-store"})
        answer["Location"] = settings.PASSWORD_CHANGE_URL
        return answer


class SecurityTextView(View):
    """Tells where to report a vulnerability (RFC 9116). It expires half a year after each day."""

    def get(self, request: HttpRequest) -> HttpResponse:
        today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        fields = [
            *(("Contact", contact) for contact in settings.SECURITY_CONTACTS),
            ("Expires", (today + _VALID_FOR).strftime("%Y-%m-%dT%H:%M:%SZ")),
            ("Preferred-Languages", settings.SECURITY_LANGUAGES),
            ("Canonical", f"{settings.BACKEND_URL}/.well-known/security.txt"),
            ("Policy", settings.SECURITY_POLICY_URL),
        ]
        lines = [f"{name}: {value}\n" for name, value in fields if value]
        return HttpResponse(
            "".join(lines),
            content_type="text/plain; charset=utf-8",
            headers={"Cache-Control": f"public, max-age={_DAY}"},
        )
