"""The audit log and consents in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from authentication.models import AuditLog, Consent
from authentication.utils.client import parse_ip

from .base import ReadOnlyAdmin


@admin.register(AuditLog)
class AuditLogAdmin(ReadOnlyAdmin):
    """Security events, newest first."""

    list_display = (
        "timestamp",
        "event_type",
        "description",
        "risk_level",
        "success",
        "user",
        "ip_address",
        "correlation_id",
    )
    list_filter = ("event_type", "risk_level", "success", "timestamp")
    search_fields = ("user__email_canonical__exact", "user__username_canonical__exact")
    search_help_text = "Enter a complete email address, username or IP address."
    list_select_related = ("user",)
    ordering = ("-timestamp",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        address = parse_ip(search_term)
        if address is None:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(ip_address=str(address)), False


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """Consents, newest first."""

    list_display = ("accepted_at", "document", "version", "user", "ip_address")
    list_filter = ("document", "version", "accepted_at")
    search_fields = ("user__email_canonical__exact", "user__username_canonical__exact")
    list_select_related = ("user",)
    ordering = ("-accepted_at",)
