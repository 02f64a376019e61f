"""What staff do for many people: the question, the progress and the result, on one page."""

import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from authentication.api.admin_proof import ask_for_proof, has_recent_proof
from authentication.exceptions import PermissionRefused
from authentication.models import BulkAction, BulkActionPerson, User
from authentication.models.second_factor_removal import REASON_MAX_LENGTH
from authentication.services.admin_pages import (
    BULK_ACTIONS,
    TYPED_ABOVE,
    BulkActionService,
    StaffAction,
    address_of,
    may_do_for_many,
    name_of,
)
from authentication.services.ranks import has_rights_beyond

from .base import ReadOnlyAdmin, acted_by, actor_of

_STATES = {
    "finished": gettext_noop("finished"),
    "stopped": gettext_noop("stopped"),
    "not started": gettext_noop("not started"),
    "running": gettext_noop("running"),
    "not started yet": gettext_noop("not started yet"),
}


def state_of(bulk: BulkAction) -> str:
    """Return how far it is, as a key of the words for staff."""
    if bulk.finished_at:
        return "finished"
    if bulk.stopped_at:
        return "stopped" if bulk.started_at else "not started"
    return "running" if bulk.started_at else "not started yet"


def bulk_url(bulk: BulkAction, page: str = "change") -> str:
    """Return the path of a page of a bulk action."""
    return reverse(f"admin:authentication_bulkaction_{page}", args=[bulk.pk])


class BulkActionForm(forms.Form):
    """Why something is done for many people, and for how many."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_MAX_LENGTH,
        help_text=_("It stands in the audit log. Please write no personal data."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    number = forms.CharField(
        max_length=8, widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"})
    )

    def __init__(self, action: StaffAction, count: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._count = count
        if not action.needs_reason:
            self.fields["reason"].required = False
            self.fields["reason"].label = _("Reason (you may leave it empty)")
        if count > TYPED_ABOVE:
            self.fields["number"].label = gettext("Type {count} to go on").format(count=count)
        else:
            del self.fields["number"]

    def clean_number(self) -> str:
        """Check the number of people."""
        number: str = self.cleaned_data["number"].strip()
        if number != str(self._count):
            text = gettext("Please type {count}: the number of people.")
            raise forms.ValidationError(text.format(count=self._count))
        return number


@admin.register(BulkAction)
class BulkActionAdmin(ReadOnlyAdmin):
    """Bulk actions, newest first."""

    list_display = ("asked_at", "what", "actor", "state")
    list_filter = ("asked_at",)
    search_fields = ()
    exclude = ("session_hash",)
    list_select_related = ("actor",)
    ordering = ("-asked_at",)
    sortable_by = ("asked_at",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = actor_of(request)
        return user.has_perm("authentication.add_bulkaction") or super().has_view_permission(
            request, obj
        )

    def get_urls(self) -> list[URLPattern]:
        return [
            self._page("start", self.start_view),
            self._page("stop", self.stop_view),
            self._page("progress", self.progress_view),
            *super().get_urls(),
        ]

    def _page(self, name: str, view: Callable[..., HttpResponse]) -> URLPattern:
        route, guarded = f"<uuid:bulk_id>/{name}/", self.admin_site.admin_view(view)
        return path(route, guarded, name=f"authentication_bulkaction_{name}")

    @admin.display(description=_("What"))
    def what(self, bulk: BulkAction) -> str:
        """Return the name of the button."""
        return str(BULK_ACTIONS[bulk.action].label) if bulk.action in BULK_ACTIONS else bulk.action

    @admin.display(description=_("State"))
    def state(self, bulk: BulkAction) -> str:
        """Return how far it is, in a word."""
        return gettext(_STATES[state_of(bulk)])

    def change_view(self, request: HttpRequest, object_id: str, *_: Any, **__: Any) -> HttpResponse:
        """Show the question, the progress or the result."""
        if request.method == "POST":
            raise PermissionDenied
        try:
            bulk = self._bulk(request, uuid.UUID(object_id))
        except (ValueError, Http404):
            text = gettext("This bulk action does not exist.")
            self.message_user(request, text, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:authentication_bulkaction_changelist"))
        if self._needs_proof(request, bulk):
            return ask_for_proof(request)
        return self._show(request, bulk, None)

    def start_view(self, request: HttpRequest, bulk_id: uuid.UUID) -> HttpResponse:
        """Start what was asked about; what is grave needs a recent proof."""
        bulk = self._bulk(request, bulk_id)
        counts, action = BulkActionPerson.objects.counts_of(bulk.pk), BULK_ACTIONS[bulk.action]
        if self._needs_proof(request, bulk):
            return ask_for_proof(request, bulk_url(bulk))
        if request.method != "POST" or bulk.started_at or bulk.is_over:
            return HttpResponseRedirect(bulk_url(bulk))
        form = BulkActionForm(action, counts["total"], request.POST)
        if not form.is_valid():
            return self._show(request, bulk, form)
        try:
            BulkActionService.start(bulk, by=acted_by(request, form.cleaned_data["reason"]))
        except PermissionRefused as refusal:
            self.message_user(request, str(refusal.detail), messages.ERROR)
        return HttpResponseRedirect(bulk_url(bulk))

    def _needs_proof(self, request: HttpRequest, bulk: BulkAction) -> bool:
        """Return whether the member of staff is asked who they are before they answer."""
        action = BULK_ACTIONS[bulk.action]
        is_asked = not (bulk.started_at or bulk.is_over) and bulk.actor_id == actor_of(request).pk
        is_grave = action.is_grave or action.needs_proof
        return is_asked and is_grave and not has_recent_proof(request)

    def stop_view(self, request: HttpRequest, bulk_id: uuid.UUID) -> HttpResponse:
        """Stop it, or do not start it at all."""
        bulk = self._bulk(request, bulk_id)
        if request.method == "POST":
            user = actor_of(request)
            may_stop = user.has_perm("authentication.add_bulkaction")
            if bulk.actor_id != user.pk and (not may_stop or has_rights_beyond(bulk.actor, user)):
                raise PermissionDenied
            BulkActionService.stop(bulk, by=acted_by(request))
        return HttpResponseRedirect(bulk_url(bulk))

    def progress_view(self, request: HttpRequest, bulk_id: uuid.UUID) -> HttpResponse:
        """Return `handled`, `total`, and `is_over`, for the script of the page."""
        bulk = self._bulk(request, bulk_id)
        counts = BulkActionPerson.objects.counts_of(bulk.pk)
        return JsonResponse({**counts, "is_over": bulk.is_over})

    def _bulk(self, request: HttpRequest, bulk_id: uuid.UUID) -> BulkAction:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = BulkAction.objects.select_related("actor").filter(pk=bulk_id).first()
        if found is None or found.action not in BULK_ACTIONS:
            raise Http404
        return found

    def _show(
        self, request: HttpRequest, bulk: BulkAction, form: BulkActionForm | None
    ) -> HttpResponse:
        action, counts = BULK_ACTIONS[bulk.action], BulkActionPerson.objects.counts_of(bulk.pk)
        is_asked = not bulk.started_at and not bulk.is_over
        people = bulk.people.select_related("user").order_by("number")
        shown = people if is_asked else people.exclude(refusal="")
        may_see = actor_of(request).has_perm("authentication.view_user")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _title_of(action, counts["total"], is_asked=is_asked),
            "bulk": bulk,
            "action": action,
            "actor": name_of(bulk.actor) if bulk.actor else gettext("A former member of staff"),
            "counts": {**counts, "done": counts["handled"] - counts["refused"]},
            "state": state_of(bulk),
            "is_asked": is_asked,
            "may_start": bulk.actor_id == actor_of(request).pk
            and may_do_for_many(actor_of(request), action),
            "form": form or BulkActionForm(action, counts["total"]),
            "people": [_person(it) for it in shown] if may_see else [],
            "urls": {it: bulk_url(bulk, it) for it in ("start", "stop", "progress")},
        }
        return TemplateResponse(request, "admin/bulk_action.html", context)


def _title_of(action: StaffAction, count: int, *, is_asked: bool) -> str:
    people = ngettext("{count} person", "{count} people", count).format(count=count)
    return f"{action.label}: {people}{'?' if is_asked else ''}"


def _person(row: BulkActionPerson) -> dict[str, str]:
    user: User = row.user
    # It is stored in English.
    refusal = gettext(row.refusal) if row.refusal else ""
    return {"name": name_of(user), "address": address_of(user), "refusal": refusal}
