"""The audit log and consents in the admin."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from authentication.models import AuditLog, Consent
from authentication.services.admin_pages import text_of
from authentication.utils.client import parse_ip
from authentication.utils.places import words_of_address

from .audit_search import AuditSearchAdmin
from .base import ReadOnlyAdmin


@admin.register(AuditLog)
class AuditLogAdmin(AuditSearchAdmin):
    """Security events, newest first."""

    list_display = (
        "timestamp",
        "what",
        "user",
        "risk_level",
        "success",
        "ip_address",
        "place",
        "correlation_id",
    )
    list_filter = ("event_type", "risk_level", "timestamp")
    filters_alone = ("event_type__exact", "risk_level__exact")
    search_help_text = _("Enter a complete email address, username, IP address or correlation ID.")
    list_select_related = ("user",)
    ordering = ("-timestamp",)
    sortable_by = ("timestamp",)

    @admin.display(description=_("What"))
    def what(self, event: AuditLog) -> str:
        """Return what happened, in words."""
        return text_of(event)

    @admin.display(description=_("Place"))
    def place(self, event: AuditLog) -> str:
        """Return where the address is, as far as that is known now."""
        return words_of_address(event.ip_address)

    def search(self, rows: Any, term: str) -> QuerySet[Any]:
        if address := parse_ip(term):
            found: QuerySet[Any] = rows.filter(ip_address=str(address))
            return found
        try:
            known = uuid.UUID(term)
        except ValueError:
            return super().search(rows, term)
        # The condition lets the index serve that leaves refreshes out.
        names = {term, known.hex, str(known)}
        shown: QuerySet[Any] = rows.shown()
        return shown.filter(correlation_id__in=names)


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """Consents, newest first."""

    list_display = ("accepted_at", "document", "version", "user", "ip_address")
    list_filter = ("document", "accepted_at")
    list_select_related = ("user",)
    ordering = ("-accepted_at",)
    sortable_by = ("accepted_at",)
