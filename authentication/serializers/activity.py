"""Serializers of the account's activity list."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from authentication.utils.device_words import spoken
from authentication.utils.languages import current
from authentication.utils.places import NOWHERE, Place, country_name, place_of

from .base import InputSerializer
from .fields import TokenField

EVENT_TEXTS = {
    "registration": _("You created your account."),
    "registration_duplicate": _("Someone tried to create another account with your email address."),
    "invitation_accepted": _("You accepted an invitation."),
    "email_verified": _("You confirmed your email address."),
    "email_resend": _("A new link to confirm your email address was requested."),
    "login": _("You signed in."),
    "login_failed": _("A sign-in failed."),
    "reauthenticated": _("You confirmed that it was you."),
    "second_factor_asked": _("Your password was right. We asked for a code as well."),
    "second_factor_used": _("A sign-in code was used."),
    "second_factor_failed": _("A wrong sign-in code was entered."),
    "second_factor_blocked": _("We refused all codes for a while, after too many wrong ones."),
    "second_factor_offered": _("You started to set up an authenticator app."),
    "second_factor_enabled": _("Signing in with a code was turned on."),
    "second_factor_disabled": _("Signing in with a code was turned off."),
    "second_factor_removal_requested": _("Our support was asked to turn off sign-in codes."),
    "second_factor_removal_stopped": _("You stopped the removal of sign-in codes."),
    "second_factor_removal_cancelled": _("The removal of sign-in codes was cancelled."),
    "recovery_codes_renewed": _("You made new recovery codes."),
    "account_locked": _("We locked your account for a while, after too many wrong passwords."),
    "account_unlocked": _("Our support unlocked your account."),
    "logout": _("You signed out."),
    "token_reuse_detected": _(
        "A copy of a device's sign-in was used, so we signed the device out."
    ),
    "token_exchange": _("You signed in by confirming your email address."),
    "session_terminated": _("You signed a device out."),
    "sessions_terminated": _("You signed all other devices out."),
    "session_evicted": _("We signed out your least recently used device: there were too many."),
    "session_renewed": _("Your device was signed in again after your password was changed."),
    "session_renamed": _("You gave a device another name."),
    "session_disowned": _("You said that something was not you."),
    "profile_updated": _("Your profile was changed."),
    "email_change_requested": _("A change of your email address was requested."),
    "email_change_cancelled": _("The change of your email address was cancelled."),
    "email_changed": _("Your email address was changed."),
    "email_change_undone": _("Your old email address was restored."),
    "email_corrected": _("Your email address was corrected before it was confirmed."),
    "email_bounced": _("A mail to your address could not be delivered."),
    "email_complained": _("A mail from us was reported as spam."),
    "change_undone": _("A change of your account was undone with a link from a mail."),
    "notices_changed": _("Your choice of mails was changed."),
    "export_requested": _("A copy of your data was requested."),
    "export_downloaded": _("The copy of your data was downloaded."),
    "account_deletion_requested": _("The deletion of your account was requested."),
    "account_restored": _("The deletion of your account was cancelled."),
    "consent_given": _("You accepted the terms or the privacy policy."),
    "password_change": _("Your password was changed."),
    "password_reset_requested": _("A link to choose a new password was requested."),
    "password_reset": _("A new password was chosen with a link from a mail."),
    "password_breached": _("Your password was found in a published data breach."),
    "token_revoked": _("Our support signed a device out."),
    "exchange_replayed": _(
        "A sign-in link was used twice, so we signed out the device that used it."
    ),
    "new_country": _("Your account was used in a country where it had not been used before."),
    "impossible_travel": _(
        "Your account was used at two places too far apart for the time between."
    ),
    "many_addresses": _("Devices at many addresses tried to sign in to your account."),
    "admin_login": _("You signed in to the admin pages."),
    "admin_login_refused": _("A sign-in to the admin pages was refused."),
    "audit_log_exported": _("Our support made a copy of this list."),
    "admin_action": _("Our support looked at your account or changed something in it."),
}
"""The sentence that tells the account's owner about an event, by event type."""


class ActivityEventSerializer(serializers.Serializer[Any]):
    """A security event of the account."""

    id = serializers.UUIDField()
    event = serializers.CharField(source="event_type")
    text = serializers.SerializerMethodField(help_text="What happened, in one sentence.")
    success = serializers.BooleanField()
    risk_level = serializers.CharField()
    ip_address = serializers.CharField(allow_null=True)
    city = serializers.SerializerMethodField(
        help_text="Of the address, as far as it is known now; empty if it is not."
    )
    country = serializers.SerializerMethodField(
        help_text="By its name in the language of the answer; empty if it is not known."
    )
    device = serializers.SerializerMethodField(help_text="The device's name; empty if unknown.")
    session = serializers.SerializerMethodField(
        help_text="The session's id; null without a session."
    )
    is_current = serializers.SerializerMethodField(help_text="Whether it happened on this session.")
    timestamp = serializers.DateTimeField()

    def get_text(self, event: Any) -> str:
        """Return the sentence for the event, or the event type's label."""
        return str(EVENT_TEXTS.get(event.event_type, "")) or event.get_event_type_display()

    def get_city(self, event: Any) -> str:
        """Return the city of the address."""
        return _place(event).city

    def get_country(self, event: Any) -> str:
        """Return the country of the address."""
        return country_name(_place(event).country)

    def get_device(self, event: Any) -> str:
        """Return the device's name."""
        return spoken(str(event.metadata.get("device", "")))

    def get_session(self, event: Any) -> str | None:
        """Return the session's id."""
        session: str | None = event.metadata.get("session")
        return session

    def get_is_current(self, event: Any) -> bool:
        """Return whether the event belongs to the session of this request."""
        return bool(event.metadata.get("session") == str(self.context["current"]))


def _place(event: Any) -> Place:
    # Where members of staff work is not the account owner's to know.
    is_by_staff = "actor" in event.metadata
    return NOWHERE if is_by_staff else place_of(event.ip_address, language=current())


class ActivitySerializer(serializers.Serializer[Any]):
    """A page of events, newest first."""

    events = ActivityEventSerializer(many=True)
    next = serializers.CharField(
        allow_null=True, help_text="The URL of older events; null on the last page."
    )
    previous = serializers.CharField(allow_null=True)


class DisownSerializer(InputSerializer):
    """The token from the mail about a new device."""

    token = TokenField()


class DisownedSerializer(serializers.Serializer[Any]):
    """The device was signed out; the reset token sets a new password."""

    message = serializers.CharField()
    reset_token = serializers.CharField(help_text="For password/reset/confirm/.")
