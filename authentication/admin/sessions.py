"""Sessions in the admin."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from authentication.models import UserSession
from authentication.services.administration import AdministrationService
from authentication.utils.places import words_of

from .base import ReadOnlyAdmin


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyAdmin):
    """Sessions, without the key that access token IDs are derived from."""

    list_display = (
        "user",
        "device_name",
        "browser",
        "ip_address",
        "place",
        "is_active",
        "last_activity_at",
        "expires_at",
    )
    list_filter = ("is_active", "end_reason")
    filters_alone = ("is_active__exact", "end_reason__exact")
    search_fields = ("user", "refresh_token_jti")
    search_help_text = _("Enter a complete email address, username or refresh token identifier.")
    list_select_related = ("user",)
    # Each refresh writes every index of a session. The time of the end has one already, and is the
    # later the more recently a session was used.
    ordering = ("-expires_at",)
    sortable_by = ("expires_at",)
    exclude = ("session_key", "last_client_digest")
    actions = ("end",)

    @admin.display(description=_("Place"))
    def place(self, session: UserSession) -> str:
        """Return where the sign-in was."""
        return words_of(country=session.country, city=session.city)

    @admin.action(description=_("End these sessions"), permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[UserSession]) -> None:
        sessions = queryset.select_related("user")
        end, permission = AdministrationService.end_session, "change_usersession"
        done = self.act_on_each(request, sessions, end, permission=permission)
        text = ngettext("Ended {count} session.", "Ended {count} sessions.", done)
        level = messages.SUCCESS if done else messages.WARNING
        self.message_user(request, text.format(count=done), level)

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Return whether the staff user may change sessions."""
        return admin.ModelAdmin.has_change_permission(self, request)
