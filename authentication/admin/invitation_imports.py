"""The page that invites the people of a file: first what would be done, then doing it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from authentication.api.admin_proof import ask_for_proof, has_recent_proof
from authentication.api.limits import count
from authentication.exceptions import PermissionRefused, RateLimited
from authentication.services.invitation_files import MOST_BYTES, MOST_ROWS
from authentication.services.invitation_imports import InvitationImportService, Plan

from .base import ReadOnlyAdmin, acted_by, actor_of
from .people import by_staff


class FileForm(forms.Form):
    """A CSV file."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=format_lazy(
            _(
                "The first line names the columns: email, first_name, last_name. At most {rows}"
                " rows and {size} KiB, as “CSV UTF-8”."
            ),
            rows=MOST_ROWS,
            size=MOST_BYTES // 1024,
        ),
    )


class InvitationImportAdmin(ReadOnlyAdmin):
    """Invitations with a page that invites the people of a file."""

    change_list_template = "admin/invitation_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="authentication_invitation_import"), *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file, show what its rows lead to, and do that when it is confirmed."""
        if not actor_of(request).has_perm("authentication.import_users"):
            raise PermissionDenied
        if not has_recent_proof(request):
            return ask_for_proof(request)
        if request.method != "POST":
            return self._page(request, FileForm())
        try:
            count("staff_import", request, by_staff)
        except RateLimited as refusal:
            return self._page(request, FileForm(), error=str(refusal.detail), refusal=refusal)
        if sealed := request.POST.get("sealed", ""):
            return self._carry_out(request, sealed)
        form = FileForm(request.POST, request.FILES)
        plan = None
        if form.is_valid():
            try:
                data = form.cleaned_data["file"].read(MOST_BYTES + 1)
                plan = InvitationImportService.plan(data, actor=actor_of(request))
            except ValueError as error:
                form.add_error("file", str(error))
        return self._page(request, form, plan)

    def _carry_out(self, request: HttpRequest, sealed: str) -> HttpResponse:
        try:
            number = InvitationImportService.carry_out(sealed, by=acted_by(request))
        except PermissionRefused as refusal:
            return self._page(request, FileForm(), error=str(refusal.detail))
        text = ngettext(
            "{count} person is invited. The mail goes out within minutes.",
            "{count} people are invited. The mails go out within minutes.",
            number,
        )
        said = text.format(count=number)
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:authentication_invitation_changelist"))

    def _page(
        self,
        request: HttpRequest,
        form: FileForm,
        plan: Plan | None = None,
        *,
        error: str = "",
        refusal: RateLimited | None = None,
    ) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Invite the people of a file"),
            "form": form,
            "plan": plan,
            "error": error,
        }
        response = TemplateResponse(request, "admin/invitation_import.html", context)
        if refusal:
            response.status_code = refusal.status
            for name, value in refusal.headers.items():
                response[name] = value
        # What stands there is in no cache, either.
        response["Cache-Control"] = "no-store"
        return response
