"""The outbox and failed tasks in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from authentication.exceptions import PermissionRefused
from authentication.models import FailedTask, OutgoingEmail
from authentication.services.administration import AdministrationService
from authentication.utils.client import ClientInfo

from .base import ReadOnlyAdmin, actor_of


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
    search_fields = ("user__email_canonical__exact", "user__username_canonical__exact")
    search_help_text = "Enter a complete email address, username or correlation ID."
    list_select_related = ("user",)
    ordering = ("-created_at",)
    actions = ("send_again",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        caused = queryset.filter(correlation_id=term) if term else queryset.none()
        if caused.exists():
            return caused, False
        return super().get_search_results(request, queryset, search_term)

    @admin.action(description="Send again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutgoingEmail]) -> None:
        actor, client, count = actor_of(request), ClientInfo.of(request), 0
        for mail in queryset:
            try:
                count += AdministrationService.send_again(mail, actor=actor, client=client)
            except PermissionRefused as refusal:
                self.message_user(request, f"{mail}: {refusal.detail}", messages.ERROR)
        level = messages.SUCCESS if count else messages.WARNING
        self.message_user(request, f"{count} mail(s) will be sent again.", level)

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Return whether the staff user may change the outbox."""
        return admin.ModelAdmin.has_change_permission(self, request)


@admin.register(FailedTask)
class FailedTaskAdmin(ReadOnlyAdmin):
    """Failed tasks, with an action to run each of them again, once."""

    list_display = ("task", "error", "failed_at", "sent_again_at")
    list_filter = ("task", "error", "failed_at")
    search_fields = ("task__exact",)
    search_help_text = "Enter the complete name of a task."
    ordering = ("-failed_at",)
    exclude = ("arguments",)
    actions = ("send_again",)

    @admin.action(description="Send again", permissions=["send"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[FailedTask]) -> None:
        actor, client = actor_of(request), ClientInfo.of(request)
        count = sum(
            AdministrationService.run_again(task, actor=actor, client=client) for task in queryset
        )
        self.message_user(request, f"{count} task(s) will run again.", messages.SUCCESS)

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Return whether the staff user may change failed tasks."""
        return admin.ModelAdmin.has_change_permission(self, request)
