"""Accounts, groups and profiles in the admin."""

import functools
from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from authentication.exceptions import PermissionRefused
from authentication.models import User, UserProfile
from authentication.models.second_factor_removal import REASON_MAX_LENGTH
from authentication.services import SecondFactorRemovalService
from authentication.services.administration import AdministrationService
from authentication.utils.client import ClientInfo

from .base import ReadOnlyAdmin, actor_of
from .lookups import StrictLookupAdmin

_PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")
_NAMES = ("email", "username")
_EDITABLE = ("first_name", "last_name")


class ReasonForm(ActionForm):
    """The form above the list: an action, and the reason that some actions need."""

    reason = forms.CharField(
        required=False,
        label="Reason",
        help_text="To remove a second factor.",
        widget=forms.TextInput(attrs={"maxlength": REASON_MAX_LENGTH}),
    )


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """Accounts. Staff edit names, superusers also privileges; all other changes are actions."""

    list_display = (
        "email",
        "username",
        "email_verified",
        "is_active",
        "is_staff",
        "locked_until",
        "created_at",
    )
    list_filter = ("email_verified", "is_active", "is_staff", "is_superuser", "created_at")
    search_fields = ("email_canonical__exact", "username_canonical__exact")
    ordering = ("-created_at",)
    exclude = ("password", "erasure_key", "admin_session_salt")
    filter_horizontal = ("groups", "user_permissions")
    actions = (
        "unlock",
        "end_sessions",
        "resend_verification",
        "send_reset_link",
        "disable",
        "enable",
        "remove_second_factor",
    )
    action_form = ReasonForm

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        allowed = admin.ModelAdmin.has_change_permission(self, request, obj)
        above = isinstance(obj, User) and obj.is_superuser and not actor_of(request).is_superuser
        return allowed and not above

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        editable = (*_EDITABLE, *_PRIVILEGES) if actor_of(request).is_superuser else _EDITABLE
        shown = [field.name for field in (*self.opts.fields, *self.opts.many_to_many)]
        return [name for name in shown if name not in (*editable, *self.exclude)]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        rest = [
            name
            for name in self.get_readonly_fields(request, obj)
            if name not in (*_NAMES, *_PRIVILEGES)
        ]
        return (
            (None, {"fields": (*_NAMES, *_EDITABLE)}),
            ("State", {"fields": rest}),
            ("Privileges", {"fields": _PRIVILEGES}),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        accounts = super().get_queryset(request)
        if request.resolver_match and request.resolver_match.kwargs:
            # A read-only form shows the name of every permission.
            return accounts.prefetch_related("groups", "user_permissions__content_type")
        return accounts

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user_permissions":
            # The name of a permission shows its content type: one query each without the join.
            kwargs["queryset"] = Permission.objects.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(
        self,
        request: HttpRequest,
        obj: Model,
        form: Any,
        change: bool,  # noqa: FBT001 -- Django's signature
    ) -> None:
        # Saving all fields would overwrite changes that were made while the form was open.
        many = {field.name for field in self.opts.many_to_many}
        obj.save(update_fields=[name for name in form.changed_data if name not in many])
        AdministrationService.note_change(
            obj.pk,
            fields=form.changed_data,
            actor=actor_of(request),
            client=ClientInfo.of(request),
        )

    @admin.action(description="Unlock", permissions=["change"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, AdministrationService.unlock)

    @admin.action(description="End all sessions", permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, AdministrationService.end_sessions)

    @admin.action(description="Send the verification mail again", permissions=["change"])
    def resend_verification(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, AdministrationService.resend_verification)

    @admin.action(description="Send a link to reset the password", permissions=["change"])
    def send_reset_link(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, AdministrationService.send_reset_link)

    @admin.action(description="Disable and sign out", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, AdministrationService.disable)

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, AdministrationService.enable)

    @admin.action(description="Remove the second factor (after 24 hours)", permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        reason = request.POST.get("reason", "")
        self._each(
            request, queryset, functools.partial(SecondFactorRemovalService.request, reason=reason)
        )

    def _each(
        self, request: HttpRequest, queryset: QuerySet[User], act: Callable[..., object]
    ) -> None:
        done = 0
        for user in queryset:
            try:
                act(user, actor=actor_of(request), client=ClientInfo.of(request))
            except PermissionRefused as refusal:
                self.message_user(request, f"{user}: {refusal.detail}", messages.ERROR)
            else:
                done += 1
        self.message_user(
            request, f"Done for {done} account(s).", messages.SUCCESS if done else messages.WARNING
        )


admin.site.unregister(Group)


@admin.register(Group)
class PrivilegeGroupAdmin(StrictLookupAdmin, GroupAdmin):
    """Groups. Only superusers may see or change them: others could give themselves permissions."""

    def save_related(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        change: bool,  # noqa: FBT001 -- Django's signature
    ) -> None:
        super().save_related(request, form, formsets, change)
        AdministrationService.note_group_change(
            form.instance.name, actor=actor_of(request), client=ClientInfo.of(request)
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return actor_of(request).is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return actor_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return actor_of(request).is_superuser


@admin.register(UserProfile)
class UserProfileAdmin(ReadOnlyAdmin):
    """Profiles."""

    list_display = ("user", "display_name", "timezone", "visibility")
    list_filter = ("visibility",)
    search_fields = ("user__email_canonical__exact", "user__username_canonical__exact")
    list_select_related: ClassVar[tuple[str, ...]] = ("user",)
