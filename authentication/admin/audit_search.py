"""The page that searches the audit log, and exports what it finds."""

import datetime as dt
import uuid
from operator import itemgetter
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authentication.api.admin_proof import has_recent_proof
from authentication.api.limits import count
from authentication.exceptions import RateLimited
from authentication.models import AuditLog
from authentication.services.admin_pages import Line, described, words_for, words_of_choice
from authentication.services.audit import AuditExportService, AuditFilter, csv_lines, json_lines
from authentication.utils.client import ClientInfo, parse_ip

from .base import ReadOnlyAdmin, account_named, actor_of, name_for
from .people import by_staff, person_url

_MOST_DAYS = 92
# Years beyond these overflow when a time zone is applied.
_YEARS = range(1970, 3000)
_FORMATS = {
    "csv": (csv_lines, "text/csv; charset=utf-8"),
    "jsonl": (json_lines, "application/jsonl; charset=utf-8"),
}
_SHOWN = 200
_EXPORTING = "authentication.export_auditlog"
_TEXT = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _events() -> list[tuple[str, str]]:
    named = ((it, words_for(it)) for it in AuditLog.Event.values)
    return [("", gettext("All")), *sorted(named, key=itemgetter(1))]


def _risks() -> list[tuple[str, str]]:
    found = ((value, words_of_choice(label)) for value, label in AuditLog.Risk.choices)
    return [("", gettext("All")), *found]


class AuditSearchForm(forms.Form):
    """Which events are meant: those of some days, and of them those with all that is given."""

    since = forms.DateField(label=_("From"), widget=_DAY)
    until = forms.DateField(label=_("To"), help_text=_("This day is included."), widget=_DAY)
    event = forms.ChoiceField(label=_("Event"), required=False, choices=_events)
    risk = forms.ChoiceField(label=_("Risk"), required=False, choices=_risks)
    person = forms.CharField(
        label=_("Person"),
        required=False,
        max_length=254,
        help_text=_("A complete email address or username."),
        widget=_TEXT,
    )
    address = forms.CharField(label=_("IP address"), required=False, max_length=64, widget=_TEXT)
    correlation_id = forms.CharField(
        label=_("Number of a request"),
        required=False,
        max_length=64,
        help_text=_("The correlation ID, as on an error page."),
        widget=_TEXT,
    )

    def clean_person(self) -> uuid.UUID | None:
        """Return the id of the account that is meant."""
        text: str = self.cleaned_data["person"]
        user_id = account_named(text) if text else None
        if text and user_id is None:
            raise forms.ValidationError(gettext("No account has this address or username."))
        return user_id

    def clean_address(self) -> str | None:
        """Return the IP address as it is stored."""
        text: str = self.cleaned_data["address"]
        address = parse_ip(text) if text else None
        if text and address is None:
            raise forms.ValidationError(gettext("This is not an IP address."))
        return str(address) if address else None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        since, until = given.get("since"), given.get("until")
        if since and until:
            if not {since.year, until.year} <= {*_YEARS}:
                raise forms.ValidationError(gettext("There are no events of these years."))
            if since > until:
                raise forms.ValidationError(gettext("The first day is after the last one."))
            if (until - since).days >= _MOST_DAYS:
                text = gettext("Please choose at most {count} days.")
                raise forms.ValidationError(text.format(count=_MOST_DAYS))
        return given

    def filters(self) -> AuditFilter:
        """Return the events that are meant, in days of the current time zone."""
        given = self.cleaned_data
        return AuditFilter(
            user_id=given["person"],
            events=(given["event"],) if given["event"] else (),
            risk=given["risk"] or None,
            since=_start(given["since"]),
            until=_start(given["until"], later=1),
            ip_address=given["address"],
            correlation_id=given["correlation_id"].strip() or None,
        )


def _rows(request: HttpRequest, events: list[AuditLog]) -> list[tuple[Line, str, str]]:
    """Return each event in words, with the name of its person and the path of their page."""
    lines = described(events, at=timezone.now())
    may_see = actor_of(request).has_perm("authentication.view_user")
    return [
        (
            line,
            name_for(request, it.user) if it.user else "",
            person_url(it.user_id) if it.user and may_see else "",
        )
        for it, line in zip(events, lines, strict=True)
    ]


def _start(day: dt.date, *, later: int = 0) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=later), dt.time()))


def _proof_first() -> SafeString:
    text = gettext("Please {link} in another tab first. Then press the button again.")
    link = format_html(
        '<a href="{}" target="_blank">{}</a>',
        reverse("admin:confirm"),
        gettext("prove that it is you"),
    )
    return format_html(text, link=link)


class AuditSearchAdmin(ReadOnlyAdmin):
    """The audit log with a page that searches and exports it.

    What is searched for comes in the body: addresses in a URL would be in the logs of proxies.
    """

    change_list_template = "admin/audit_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.search_view)
        return [path("search/", view, name="authentication_auditlog_search"), *super().get_urls()]

    def search_view(self, request: HttpRequest) -> HttpResponseBase:
        """Ask which events are meant, then show the newest, or send all as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        format_ = request.POST.get("export", "")
        if format_ and not (format_ in _FORMATS and actor_of(request).has_perm(_EXPORTING)):
            raise PermissionDenied
        today = timezone.localdate()
        first = {"since": today - dt.timedelta(days=30), "until": today}
        form = AuditSearchForm(request.POST or None, initial=first)
        found = None
        if request.method == "POST" and form.is_valid():
            filters = form.filters()
            if not format_:
                found = AuditExportService.newest(filters, limit=_SHOWN + 1)
            elif not has_recent_proof(request):
                # What was typed stays on this page.
                form.add_error(None, _proof_first())
            elif AuditExportService.has_too_many(filters):
                form.add_error(
                    None, gettext("These are too many events for a page. Choose fewer days.")
                )
            else:
                return self._export(request, filters, format_)
        context = {
            **self._context(request),
            "title": gettext("Search the audit log"),
            "form": form,
            "found": None if found is None else _rows(request, found[:_SHOWN]),
            "has_more": found is not None and len(found) > _SHOWN,
            "shown": _SHOWN,
            "may_export": actor_of(request).has_perm(_EXPORTING),
        }
        return TemplateResponse(request, "admin/audit_search.html", context)

    def _export(self, request: HttpRequest, filters: AuditFilter, format_: str) -> HttpResponseBase:
        try:
            count("account_data", request, by_staff)
        except RateLimited as refusal:
            context = {
                **self._context(request),
                "title": refusal.title,
                "detail": refusal.detail,
            }
            return TemplateResponse(
                request,
                "admin/busy.html",
                context,
                status=refusal.status,
                headers=refusal.headers,
            )
        rows = AuditExportService.events(
            filters, facts={"actor": str(actor_of(request).pk)}, client=ClientInfo.of(request)
        )
        write, content_type = _FORMATS[format_]
        name = f"audit-log-{timezone.localdate():%Y-%m-%d}.{format_}"
        return StreamingHttpResponse(
            write(rows),
            content_type=content_type,
            headers={
                "Cache-Control": "no-store",
                "Content-Disposition": f'attachment; filename="{name}"',
            },
        )

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.opts}
