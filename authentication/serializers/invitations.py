"""Serializers of invitations."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from .base import Errors, InputSerializer, compare_repetition
from .consents import documents_in
from .fields import ConsentField, PasswordField, TokenField

_REQUIRED = _("This field is required.")


class InvitationAcceptSerializer(InputSerializer):
    """The token from the mail, a password, and the consents that a registration asks for."""

    token = TokenField()
    password = PasswordField()
    password_confirm = PasswordField(required=False)
    terms_accepted = ConsentField(required=False)
    privacy_policy_accepted = ConsentField(required=False)

    def compare_fields(self, values: dict[str, Any], *, invalid: Collection[str]) -> Errors:
        errors = compare_repetition(values, "password")
        if settings.REQUIRE_CONSENT:
            names = ("terms_accepted", "privacy_policy_accepted")
            errors |= {name: [_REQUIRED] for name in names if name not in values}
        return errors

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.pop("password_confirm", None)
        return {"documents": documents_in(attrs), **attrs}
