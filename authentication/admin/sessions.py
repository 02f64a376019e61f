"""Sessions in the admin."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from authentication.exceptions import PermissionRefused
from authentication.models import UserSession
from authentication.services.administration import AdministrationService
from authentication.utils.client import ClientInfo

from .base import ReadOnlyAdmin, actor_of


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyAdmin):
    """Sessions, without the key that access token IDs are derived from."""

    list_display = (
        "user",
        "device_name",
        "browser",
        "ip_address",
        "is_active",
        "last_activity_at",
        "expires_at",
    )
    list_filter = ("is_active", "end_reason", "device_type", "created_at")
    search_fields = (
        "user__email_canonical__exact",
        "user__username_canonical__exact",
        "refresh_token_jti__exact",
    )
    search_help_text = "Enter a complete email address, username or refresh token identifier."
    list_select_related = ("user",)
    ordering = ("-created_at",)
    exclude = ("session_key", "last_client_digest")
    actions = ("end",)

    @admin.action(description="End these sessions", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        done = 0
        for session in queryset.select_related("user"):
            try:
                AdministrationService.end_session(
                    session, actor=actor_of(request), client=ClientInfo.of(request)
                )
            except PermissionRefused as refusal:
                self.message_user(request, f"{session.user}: {refusal.detail}", messages.ERROR)
            else:
                done += 1
        self.message_user(
            request, f"Ended {done} session(s).", messages.SUCCESS if done else messages.WARNING
        )

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Return whether the staff user may change sessions."""
        return admin.ModelAdmin.has_change_permission(self, request)
