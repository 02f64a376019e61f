"""Invitations in the admin: who is invited, inviting by address and name, taking back."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from authentication.api.limits import count
from authentication.exceptions import RateLimited
from authentication.models import Invitation
from authentication.services.invitations import InvitationService, Invited, checked_invited
from authentication.utils.identifiers import canonical_identifier

from .base import account_named, acted_by, actor_of
from .invitation_imports import InvitationImportAdmin
from .people import by_staff

_STATES = {
    "accepted": gettext_noop("accepted"),
    "revoked": gettext_noop("revoked"),
    "pending": gettext_noop("pending"),
    "expired": gettext_noop("expired"),
}


class InviteForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only for the type checker
    """The address and the name of a person to invite."""

    email = forms.CharField(
        label=_("Address"),
        max_length=254,
        help_text=_(
            "The link in the mail works for seven days. A member is told that they have an account"
            " already."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )

    class Meta:
        model = Invitation
        fields = ("email", "first_name", "last_name")
        labels = {"first_name": _("First name"), "last_name": _("Last name")}

    def clean(self) -> dict[str, Any] | None:
        given = super().clean() or {}
        if not self.errors:
            try:
                self.person = checked_invited(**{it: given[it] for it in self.Meta.fields})
            except ValueError as error:
                raise forms.ValidationError(str(error)) from None
        return given

    def _post_clean(self) -> None:
        # The service stores the row; whether the address has an invitation is no error.
        return


@admin.register(Invitation)
class InvitationAdmin(InvitationImportAdmin):
    """Invitations. Adding a row invites a person."""

    list_display = ("email", "state", "first_name", "last_name", "invited_by", "created_at")
    list_select_related: ClassVar[tuple[str, ...]] = ("invited_by",)
    list_filter = ("created_at",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    exclude = ("token",)
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_invite_permission(request)

    def has_invite_permission(self, request: HttpRequest) -> bool:
        """Return whether a member of staff may invite people."""
        return actor_of(request).has_perm("authentication.invite_user")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(email_canonical=canonical_identifier(term))
        if actor_of(request).has_perm("authentication.view_user"):
            # By the account that it led to, too: its present address may be another.
            wanted |= Q(user_id=account_named(term), user_id__isnull=False)
        return queryset.filter(wanted), False

    @admin.display(description=_("State"))
    def state(self, invitation: Invitation) -> str:
        """Return what became of an invitation."""
        return gettext(_STATES[invitation.state(at=timezone.now())])

    @admin.action(description=_("Revoke"), permissions=["invite"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        revoke, permission = InvitationService.revoke, "invite_user"
        done = self.act_on_each(request, queryset, revoke, permission=permission)
        level = messages.SUCCESS if done else messages.WARNING
        text = ngettext("Revoked {count} invitation.", "Revoked {count} invitations.", done)
        self.message_user(request, text.format(count=done), level)

    def get_form(
        self,
        request: HttpRequest,
        obj: Model | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 -- Django's signature
        **kwargs: Any,
    ) -> Any:
        return InviteForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return InviteForm.Meta.fields if obj is None else super().get_fields(request, obj)

    def save_model(
        self,
        request: HttpRequest,
        obj: Model,
        form: Any,
        change: bool,  # noqa: FBT001 -- Django's signature
    ) -> None:
        try:
            count("staff_invite", request, by_staff)
        except RateLimited as refusal:
            self.message_user(request, str(refusal.detail), messages.ERROR)
            return
        person: Invited = form.person
        stored = InvitationService.invite(person, by=acted_by(request))
        obj.pk = stored.pk
        # Without the address: messages are kept in a cookie until the next page.
        self.message_user(request, gettext("The invitation is on its way."), messages.SUCCESS)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        # The audit log has it, without the address.
        return None

    def response_add(
        self, request: HttpRequest, obj: Model, post_url_continue: str | None = None
    ) -> HttpResponse:
        page = "add" if "_addanother" in request.POST else "changelist"
        return HttpResponseRedirect(reverse(f"admin:authentication_invitation_{page}"))
