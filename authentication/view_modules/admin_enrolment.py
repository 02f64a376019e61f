"""The page on which staff set up the second factor that the admin requires."""

import dataclasses
import json
import uuid
from typing import Any

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from authentication.api.limits import counting, session_key
from authentication.exceptions import (
    Problem,
    RateLimited,
    ServiceUnavailable,
    ValidationFailed,
)
from authentication.services import AdminEnrolmentService
from authentication.services.sign_in import Enrolment
from authentication.utils.client import ClientInfo
from authentication.utils.encryption import DecryptionError, decrypt, encrypt
from authentication.utils.qr import qr_svg

_KEY = "enrolment"
_CONTEXT = "admin:enrolment"
_GROUP = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Pending:
    """An enrolment as Django's session holds it, encrypted: it has the seed."""

    session_id: str
    secret: str
    otpauth_url: str
    next_url: str


def begin_enrolment(request: HttpRequest, enrolment: Enrolment) -> HttpResponse:
    """Keep an enrolment for this browser, and lead it to the page."""
    next_url = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        next_url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        next_url = reverse("admin:index")
    pending = Pending(
        str(enrolment.session_id), enrolment.offer.secret, enrolment.offer.otpauth_url, next_url
    )
    # Nobody else may know the key of a session that holds a seed: middleware makes one.
    request.session.flush()
    plain = json.dumps(dataclasses.asdict(pending)).encode()
    request.session[_KEY] = encrypt(plain, context=_CONTEXT)
    return HttpResponseRedirect(reverse("admin:enrolment"))


class AdminEnrolmentPage(LoginView):
    """Shows a new seed, takes its first code, then shows the recovery codes once.

    The code signs in to the admin.
    """

    template_name = "account/staff_two_step.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        pending = _pending(request)
        return self._page(pending) if pending else _to_admin()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        pending = _pending(request)
        if pending is None:
            return _to_admin()
        session_id = uuid.UUID(pending.session_id)
        try:
            with counting("second_factor", request, key=lambda _: session_key(session_id)):
                user, codes = AdminEnrolmentService.finish(
                    session_id, otp=request.POST.get("otp", ""), client=ClientInfo.of(request)
                )
        except ValidationFailed as refusal:
            messages = [str(it) for found in (refusal.errors or {}).values() for it in found]
            return self._page(pending, status=refusal.status, errors=messages)
        except (RateLimited, ServiceUnavailable) as refusal:
            return self._page(pending, status=refusal.status, errors=[refusal.detail])
        except Problem:
            del request.session[_KEY]
            return render(request, self.template_name, {"late": True}, status=403)
        del request.session[_KEY]
        # The redirect of Django's sign-in comes after the recovery codes.
        proven: Any = _Proven(user)
        self.form_valid(proven)
        return render(request, self.template_name, {"codes": codes, "next": pending.next_url})

    def _page(self, pending: Pending, *, status: int = 200, **context: Any) -> HttpResponse:
        secret = pending.secret
        shown = {
            "qr": qr_svg(pending.otpauth_url, sized=False),
            "otpauth_url": pending.otpauth_url,
            "secret": " ".join(secret[at : at + _GROUP] for at in range(0, len(secret), _GROUP)),
            **context,
        }
        return render(self.request, self.template_name, shown, status=status)


class _Proven:
    """What Django's sign-in takes for a valid form: the service has admitted the user."""

    def __init__(self, user: Any) -> None:
        self._user = user

    def get_user(self) -> Any:
        return self._user


def _to_admin() -> HttpResponse:
    """Lead to the admin, which asks people who are not signed in to sign in."""
    return HttpResponseRedirect(reverse("admin:index"))


def _pending(request: HttpRequest) -> Pending | None:
    sealed = request.session.get(_KEY)
    if not sealed:
        return None
    try:
        return Pending(**json.loads(decrypt(sealed, context=_CONTEXT)))
    except DecryptionError:
        return None
