"""Removals of second factors by staff in the admin."""

import datetime as dt
from typing import ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from authentication.api.admin_proof import ask_for_proof, has_recent_proof
from authentication.models import SecondFactorRemoval
from authentication.services import SecondFactorRemovalService

from .base import Act, ReadOnlyAdmin


@admin.register(SecondFactorRemoval)
class SecondFactorRemovalAdmin(ReadOnlyAdmin):
    """Removals, newest first: a second member of staff confirms them, anyone cancels them."""

    list_display = (
        "user",
        "reason",
        "requested_by",
        "requested_at",
        "due_at",
        "confirmed_by",
        "outcome",
        "ended_at",
    )
    exclude = ("session_hash",)
    list_filter = ("outcome", "requested_at", "ended_at")
    list_select_related: ClassVar[tuple[str, ...]] = ("user", "requested_by", "confirmed_by")
    ordering = ("-requested_at",)
    sortable_by = ("requested_at",)
    actions = ("confirm", "cancel")

    @admin.display(description=_("Due"))
    def due_at(self, removal: SecondFactorRemoval) -> dt.datetime:
        """Return when it happens without a second member of staff."""
        return removal.effective_at

    @admin.action(description=_("Confirm and remove now"), permissions=["decide"])
    def confirm(
        self, request: HttpRequest, queryset: QuerySet[SecondFactorRemoval]
    ) -> HttpResponse | None:
        if not has_recent_proof(request):
            return ask_for_proof(request)
        self._each(request, queryset, SecondFactorRemovalService.confirm)
        return None

    @admin.action(description=_("Cancel"), permissions=["decide"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[SecondFactorRemoval]) -> None:
        self._each(request, queryset, SecondFactorRemovalService.cancel)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Return whether the staff user may confirm and cancel removals."""
        return admin.ModelAdmin.has_change_permission(self, request)

    def _each(
        self,
        request: HttpRequest,
        queryset: QuerySet[SecondFactorRemoval],
        act: Act,
    ) -> None:
        removals, permission = queryset.select_related("user"), "change_secondfactorremoval"
        done = self.act_on_each(request, removals, act, permission=permission)
        text = ngettext("Done for {count} removal.", "Done for {count} removals.", done)
        level = messages.SUCCESS if done else messages.WARNING
        self.message_user(request, text.format(count=done), level)
