"""Revoked tokens, mailed links and former passwords in the admin, without their secrets."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import PermissionRefused
from authentication.models import (
    AccountExport,
    ActionToken,
    EmailChange,
    EmailVerificationToken,
    PasswordHistory,
    PasswordResetToken,
    SensitiveChange,
    TokenBlacklist,
)
from authentication.services.admin_pages import words_of_choice
from authentication.services.administration import AdministrationService
from authentication.utils.identifiers import canonical_identifier

from .base import ReadOnlyAdmin, account_named, acted_by

_BY_HAND = (TokenBlacklist.Reason.COMPROMISED, TokenBlacklist.Reason.ADMIN)


def _reasons() -> list[tuple[str, str]]:
    return [(reason.value, words_of_choice(reason.label)) for reason in _BY_HAND]


class RevokeForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only for the type checker
    """The JWT ID of a token to revoke, and the reason."""

    # Another format would be stored but could never match a token.
    jti = forms.RegexField(
        r"\A[0-9a-f]{32}\Z",
        label="JTI",
        strip=True,
        help_text=_("The claim `jti` of the token: 32 hexadecimal digits."),
    )
    reason = forms.ChoiceField(label=_("Reason"), choices=_reasons)

    class Meta:
        model = TokenBlacklist
        fields = ("jti", "reason")


@admin.register(TokenBlacklist)
class TokenBlacklistAdmin(ReadOnlyAdmin):
    """Revoked tokens. Adding a row revokes a token."""

    list_display = ("jti", "user", "reason", "blacklisted_at", "expires_at")
    list_filter = ("reason",)
    search_fields = ("user", "jti")
    search_help_text = _("Enter a complete token identifier, email address or username.")
    list_select_related = ("user",)
    # Each refresh adds a row. Its key is a number that grows, so newest first needs no other index.
    ordering = ("-pk",)
    sortable_by = ("expires_at",)
    exclude = ("token",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def get_form(
        self,
        request: HttpRequest,
        obj: Model | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 -- Django's signature
        **kwargs: Any,
    ) -> Any:
        if obj is None:
            return RevokeForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ("jti", "reason") if obj is None else super().get_fields(request, obj)

    def save_model(
        self,
        request: HttpRequest,
        obj: Model,
        form: Any,
        change: bool,  # noqa: FBT001 -- Django's signature
    ) -> None:
        given = form.cleaned_data
        try:
            saved = AdministrationService.revoke_token(
                jti=given["jti"],
                reason=given["reason"],
                by=acted_by(request, permission="authentication.add_tokenblacklist"),
            )
        except PermissionRefused:
            text = gettext("You are not allowed to revoke this token.")
            self.message_user(request, text, messages.ERROR)
        else:
            obj.pk = saved.pk

    def response_add(
        self, request: HttpRequest, obj: Model, post_url_continue: str | None = None
    ) -> HttpResponse:
        # The service refused: there is no saved row to report or to redirect to.
        if obj.pk is None:
            return HttpResponseRedirect(reverse("admin:authentication_tokenblacklist_changelist"))
        return super().response_add(request, obj, post_url_continue)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return None if obj.pk is None else super().log_addition(request, obj, message)


class _MailedTokenAdmin(ReadOnlyAdmin):
    list_select_related = ("user",)
    ordering: ClassVar[tuple[str, ...]] = ("-pk",)


@admin.register(EmailVerificationToken)
class EmailVerificationTokenAdmin(_MailedTokenAdmin):
    """Mailed verification links."""

    list_display = ("user", "created_at", "expires_at", "verified_at")
    exclude = ("token",)


@admin.register(PasswordResetToken)
class PasswordResetTokenAdmin(_MailedTokenAdmin):
    """Mailed password reset links."""

    list_display = ("user", "created_at", "used_at")
    list_filter = ("created_at",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    exclude = ("token", "binding")


@admin.register(ActionToken)
class ActionTokenAdmin(_MailedTokenAdmin):
    """Other mailed links."""

    list_display = ("user", "action", "created_at", "expires_at", "used_at")
    list_filter = ("action",)
    exclude = ("token",)


@admin.register(AccountExport)
class AccountExportAdmin(_MailedTokenAdmin):
    """Exports of personal data, without their content."""

    list_display = ("user", "requested_at", "failed_at", "ready_at", "downloaded_at")
    list_filter = ("requested_at", "failed_at", "ready_at", "downloaded_at")
    ordering = ("-requested_at",)
    sortable_by = ("requested_at",)
    exclude = ("content",)


@admin.register(EmailChange)
class EmailChangeAdmin(ReadOnlyAdmin):
    """Changes of email addresses, which the user can undo for a week."""

    list_display = ("user", "old_email", "new_email", "requested_at", "confirmed_at", "undone_at")
    list_filter = ("requested_at", "confirmed_at", "undone_at")
    list_select_related = ("user",)
    ordering = ("-requested_at",)
    sortable_by = ("requested_at",)

    def search(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        address = canonical_identifier(term)
        passed = Q(old_email_canonical=address) | Q(new_email_canonical=address)
        return rows.filter(passed | Q(user_id=account_named(term)))


@admin.register(SensitiveChange)
class SensitiveChangeAdmin(_MailedTokenAdmin):
    """Sensitive changes, which the user can undo for a week."""

    list_display = ("user", "kind", "made_at", "undone_at")
    list_filter = ("kind", "made_at", "undone_at")
    ordering = ("-made_at",)
    sortable_by = ("made_at",)


@admin.register(PasswordHistory)
class PasswordHistoryAdmin(_MailedTokenAdmin):
    """The times at which passwords were set."""

    list_display = ("user", "created_at")
    exclude = ("password_hash",)
