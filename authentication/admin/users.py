"""Accounts and profiles in the admin."""

import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db.models import Max, Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models import User, UserProfile, UserSession
from authentication.services.admin_pages import (
    BULK_ACTIONS,
    MOST_PEOPLE,
    BulkActionService,
    StaffAction,
    may_do_for_many,
    moment,
    name_of,
    states_of,
)
from authentication.services.administration import AdministrationService
from authentication.services.ranks import has_rights_beyond

from .account_forms import ChoiceOfPeopleForm, NamesForm
from .base import ReadOnlyAdmin, account_named, acted_by, actor_of
from .bulk_actions import bulk_url
from .people import person_url
from .person import PersonAdmin

_PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")
_NAMES = ("email", "username")
_EDITABLE = ("first_name", "last_name")


@admin.register(User)
class UserAdmin(ReadOnlyAdmin, PersonAdmin):
    """Accounts. Staff edit names; all other changes are actions."""

    list_display = ("name", "state", "email", "last_seen", "created_at")
    list_display_links = None
    list_filter = ("email_verified", "is_active", "is_staff", "is_superuser", "created_at")
    search_help_text = _(
        "Enter a complete email address or username, or words that the name begins with."
    )
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    exclude = ("password", "erasure_key", "admin_session_salt", "deletion_receipt")
    action_form = ChoiceOfPeopleForm
    form = NamesForm

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed = admin.ModelAdmin.has_change_permission(self, request, obj)
        return allowed and not (isinstance(obj, User) and has_rights_beyond(obj, actor_of(request)))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        shown = [field.name for field in (*self.opts.fields, *self.opts.many_to_many)]
        return [name for name in shown if name not in (*_EDITABLE, *self.exclude)]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        rest = [
            name
            for name in self.get_readonly_fields(request, obj)
            if name not in (*_NAMES, *_PRIVILEGES)
        ]
        return (
            (None, {"fields": (*_NAMES, *_EDITABLE)}),
            (_("State"), {"fields": rest}),
            (_("Privileges"), {"fields": _PRIVILEGES}),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        accounts = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.kwargs:
            # A read-only form shows the name of every permission.
            return accounts.prefetch_related("groups", "user_permissions__content_type")
        seen = UserSession.objects.filter(user=OuterRef("pk")).order_by().values("user")
        newest = seen.annotate(at=Max("last_activity_at")).values("at")
        with_times: QuerySet[Any] = accounts.annotate(seen_at=Subquery(newest))
        return with_times

    @admin.display(description=_("Name"))
    def name(self, user: User) -> str:
        """Return the name, which leads to the page of the person."""
        return format_html('<a href="{}">{}</a>', person_url(user.pk), name_of(user))

    @admin.display(description=_("State"))
    def state(self, user: User) -> str:
        """Return what is so about the account, in words."""
        return ", ".join(it.text for it in states_of(user, at=timezone.now()))

    @admin.display(description=_("Last seen"))
    def last_seen(self, user: Any) -> str:
        """Return when the account was last used."""
        seen = max(filter(None, (user.seen_at, user.last_login)), default=None)
        return moment(seen, at=timezone.now())

    def search(self, rows: Any, term: str) -> QuerySet[Any]:
        user_id = account_named(term)
        found: QuerySet[Any] = rows.filter(pk=user_id) if user_id else rows.with_names(term)
        return found

    def save_model(
        self,
        request: HttpRequest,
        obj: Model,
        form: Any,
        change: bool,  # noqa: FBT001 -- Django's signature
    ) -> None:
        # Other fields may have changed while the form was open.
        names = {name: form.cleaned_data[name] for name in form.changed_data}
        by = acted_by(request, permission="authentication.change_user")
        try:
            AdministrationService.change_names(obj.pk, names, by=by)
        except PermissionRefused as refusal:
            raise PermissionDenied from refusal

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show what staff did, with their reasons, to those who may read the audit log."""
        if not actor_of(request).has_perm("authentication.view_auditlog"):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        # Django's message has the username, and messages are kept in a cookie.
        self.message_user(request, _("The name is saved."), messages.SUCCESS)
        stays = "_continue" in request.POST
        return HttpResponseRedirect(request.path if stays else person_url(obj.pk))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the member of staff may do for many people."""
        return {
            it.name: (_ask_about(it), it.name, str(it.label))
            for it in BULK_ACTIONS.values()
            if may_do_for_many(actor_of(request), it)
        }

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.POST.get("whole_list") and ACTION_CHECKBOX_NAME not in request.POST:
            # Django asks for a ticked row.
            posted: Any = request.POST.copy()
            posted[ACTION_CHECKBOX_NAME] = str(uuid.UUID(int=0))
            request.POST = posted
        return super().changelist_view(request, extra_context)


def _ask_about(action: StaffAction) -> Callable[..., HttpResponse | None]:
    """Return the action of the list: it leads to the page that asks once."""

    def ask(table: UserAdmin, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        if request.POST.get("whole_list"):
            people = table.get_changelist_instance(request).queryset
        chosen = list(people.values_list("pk", flat=True)[: MOST_PEOPLE + 1])
        try:
            bulk = BulkActionService.prepare(action, chosen, actor=actor_of(request))
        except PermissionRefused as refusal:
            table.message_user(request, str(refusal.detail), messages.ERROR)
            return None
        return HttpResponseRedirect(bulk_url(bulk))

    return ask


@admin.register(UserProfile)
class UserProfileAdmin(ReadOnlyAdmin):
    """Profiles."""

    list_display = ("user", "display_name", "timezone", "visibility")
    list_filter = ("visibility",)
    ordering = ("pk",)
    list_select_related: ClassVar[tuple[str, ...]] = ("user",)
