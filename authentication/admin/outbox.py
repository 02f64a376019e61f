"""The outbox and failed tasks in the admin."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from authentication.models import FailedTask, OutgoingEmail
from authentication.services.administration import AdministrationService

from .base import ReadOnlyAdmin


@admin.register(OutgoingEmail)
class OutgoingEmailAdmin(ReadOnlyAdmin):
    """The outbox, with an action to send dead letters again."""

    list_display = (
        "kind",
        "user",
        "status",
        "attempts",
        "last_error",
        "correlation_id",
        "created_at",
        "sent_at",
    )
    list_filter = ("status", "kind", "created_at")
    search_help_text = _("Enter a complete email address, username or correlation ID.")
    list_select_related = ("user",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    actions = ("send_again",)

    search_fields = ("user", "correlation_id")

    @admin.action(description=_("Send again"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutgoingEmail]) -> None:
        send, permission = AdministrationService.send_again, "change_outgoingemail"
        count = self.act_on_each(request, queryset, send, permission=permission)
        level = messages.SUCCESS if count else messages.WARNING
        text = ngettext(
            "{count} mail will be sent again.", "{count} mails will be sent again.", count
        )
        self.message_user(request, text.format(count=count), level)

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Return whether the staff user may change the outbox."""
        return admin.ModelAdmin.has_change_permission(self, request)


@admin.register(FailedTask)
class FailedTaskAdmin(ReadOnlyAdmin):
    """Failed tasks, with an action to run each of them again, once."""

    list_display = ("task", "error", "failed_at", "sent_again_at")
    list_filter = ("failed_at",)
    search_fields = ("task", "error")
    search_help_text = _("Enter the complete name of a task or an error.")
    ordering = ("-failed_at",)
    sortable_by = ("failed_at",)
    exclude = ("arguments",)
    actions = ("send_again",)

    @admin.action(description=_("Send again"), permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[FailedTask]) -> None:
        run, permission = AdministrationService.run_again, "change_failedtask"
        count = self.act_on_each(request, queryset, run, permission=permission)
        text = ngettext("{count} task will run again.", "{count} tasks will run again.", count)
        self.message_user(request, text.format(count=count), messages.SUCCESS)

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Return whether the staff user may change failed tasks."""
        return admin.ModelAdmin.has_change_permission(self, request)
