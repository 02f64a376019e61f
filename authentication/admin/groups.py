"""Groups in the admin: the roles of staff, and groups of the installation."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group, Permission
from django.db.models import Model, Q
from django.http import HttpRequest, HttpResponse

from authentication.api.admin_proof import ask_for_proof, has_recent_proof
from authentication.models import StaffRole, rights_of_group
from authentication.services.administration import AdministrationService
from authentication.services.role_groups import offered_permissions

from .base import KeysetAdmin, acted_by, actor_of

admin.site.unregister(Group)


@admin.register(Group)
class PrivilegeGroupAdmin(KeysetAdmin, GroupAdmin):
    """Groups. Only superusers may see or change them: others could give themselves permissions."""

    actions = None

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not has_recent_proof(request):
            return ask_for_proof(request)
        return super().changeform_view(request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not has_recent_proof(request):
            return ask_for_proof(request)
        return super().delete_view(request, *args, **kwargs)

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any
    ) -> Any:
        """Offer the permissions that roles are made of, and those that the group has."""
        if db_field.name == "permissions":
            match = request.resolver_match if request else None
            offered = Q(pk__in=offered_permissions().values("pk"))
            if match and "object_id" in match.kwargs:
                offered |= Q(group=match.kwargs["object_id"])
            kwargs["queryset"] = Permission.objects.filter(offered).distinct()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_related(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        change: bool,  # noqa: FBT001 -- Django's signature
    ) -> None:
        group = form.instance
        before = rights_of_group(group)
        super().save_related(request, form, formsets, change)
        after = rights_of_group(group)
        given, taken = sorted(after - before), sorted(before - after)
        self._note(request, group.name, given=given, taken=taken)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return actor_of(request).is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return actor_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        is_role = obj is not None and StaffRole.objects.filter(group=obj.pk).exists()
        return actor_of(request).is_superuser and not is_role

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        self._note(request, obj.name)

    def _note(self, request: HttpRequest, name: str, **rights: list[str]) -> None:
        AdministrationService.note_group_change(name, by=acted_by(request), **rights)
