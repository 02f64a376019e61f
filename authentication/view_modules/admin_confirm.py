"""The page that asks staff again who they are, before they do what gives power over accounts."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authentication.api.admin_proof import remember_proof
from authentication.api.limits import count
from authentication.exceptions import Problem, ValidationFailed
from authentication.services import ReauthenticationService
from authentication.utils.client import ClientInfo
from authentication.utils.one_time_codes import LONGEST_TYPED

_LONGEST_PASSWORD = 1024


class ProofForm(forms.Form):
    """A code of the second factor, or the password of an account without one."""

    proof = forms.CharField(strip=False)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["proof"]
        if user.second_factor_at:
            field.label, field.max_length = _("Code"), LONGEST_TYPED
            field.help_text = _("From your authenticator app. A recovery code works too.")
            field.widget = forms.TextInput(attrs={"autocomplete": "one-time-code"})
        else:
            field.label, field.max_length = _("Password"), _LONGEST_PASSWORD
            field.widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
        field.widget.attrs["autofocus"] = True


def confirm_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Ask for a proof, store that it was given, and lead to the page in `next`."""
    user: Any = request.user
    next_url = _next_url(request)
    form = ProofForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            # By the account: no unlock and no other session gives a thief more tries.
            count("staff_proof", request, lambda _: f"staff:{user.pk}")
            ReauthenticationService.prove_in_admin(
                user, form.cleaned_data["proof"], client=ClientInfo.of(request)
            )
        except ValidationFailed as refusal:
            for texts in (refusal.errors or {}).values():
                form.add_error("proof", [str(it) for it in texts])
        except Problem as refusal:
            form.add_error("proof", str(refusal.detail))
        else:
            remember_proof(request)
            request.session.cycle_key()
            return HttpResponseRedirect(next_url)
    page = {**context, "title": gettext("First we need to know that it's you"), "form": form}
    return TemplateResponse(request, "admin/confirm.html", {**page, "next": next_url})


def _next_url(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next", "")
    allowed = {request.get_host()}
    is_own = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=allowed, require_https=request.is_secure()
    )
    return wanted if is_own else reverse("admin:index")
