"""Serializers of the account's activity list."""

from typing import Any

from rest_framework import serializers

from .base import InputSerializer
from .fields import TokenField

EVENT_TEXTS = {
    "registration": "You created your account.",
    "registration_duplicate": "Someone tried to create another account with your email address.",
    "email_verified": "You confirmed your email address.",
    "email_resend": "A new link to confirm your email address was requested.",
    "login": "You signed in.",
    "login_failed": "A sign-in failed.",
    "reauthenticated": "You confirmed that it was you.",
    "second_factor_asked": "Your password was right. We asked for a code as well.",
    "second_factor_used": "A sign-in code was used.",
    "second_factor_failed": "A wrong sign-in code was entered.",
    "second_factor_blocked": "We refused all codes for a while, after too many wrong ones.",
    "second_factor_offered": "You started to set up an authenticator app.",
    "second_factor_enabled": "Signing in with a code was turned on.",
    "second_factor_disabled": "Signing in with a code was turned off.",
    "second_factor_removal_requested": "Our support was asked to turn off sign-in codes.",
    "second_factor_removal_stopped": "You stopped the removal of sign-in codes.",
    "second_factor_removal_cancelled": "The removal of sign-in codes was cancelled.",
    "recovery_codes_renewed": "You made new recovery codes.",
    "account_locked": "We locked your account for a while, after too many wrong passwords.",
    "account_unlocked": "Our support unlocked your account.",
    "logout": "You signed out.",
    "token_reuse_detected": "A copy of a device's sign-in was used, so we signed the device out.",
    "token_exchange": "You signed in by confirming your email address.",
    "session_terminated": "You signed a device out.",
    "sessions_terminated": "You signed all other devices out.",
    "session_evicted": "We signed out your least recently used device: there were too many.",
    "session_renewed": "Your device was signed in again after your password was changed.",
    "session_disowned": "You said that something was not you.",
    "profile_updated": "Your profile was changed.",
    "email_change_requested": "A change of your email address was requested.",
    "email_change_cancelled": "The change of your email address was cancelled.",
    "email_changed": "Your email address was changed.",
    "email_change_undone": "Your old email address was restored.",
    "email_corrected": "Your email address was corrected before it was confirmed.",
    "email_bounced": "A mail to your address could not be delivered.",
    "email_complained": "A mail from us was reported as spam.",
    "change_undone": "A change of your account was undone with a link from a mail.",
    "notices_changed": "Your choice of mails was changed.",
    "export_requested": "A copy of your data was requested.",
    "export_downloaded": "The copy of your data was downloaded.",
    "account_deletion_requested": "The deletion of your account was requested.",
    "account_restored": "The deletion of your account was cancelled.",
    "consent_given": "You accepted the terms or the privacy policy.",
    "password_change": "Your password was changed.",
    "password_reset_requested": "A link to choose a new password was requested.",
    "password_reset": "A new password was chosen with a link from a mail.",
    "password_breached": "Your password was found in a published data breach.",
    "token_revoked": "Our support signed a device out.",
    "exchange_replayed": "A sign-in link was used twice, so we signed out the device that used it.",
    "admin_login": "You signed in to the admin pages.",
    "admin_login_refused": "A sign-in to the admin pages was refused.",
    "audit_log_exported": "Our support made a copy of this list.",
    "admin_action": "Our support looked at your account or changed something in it.",
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
    device = serializers.SerializerMethodField(help_text="The device's name; empty if unknown.")
    session = serializers.SerializerMethodField(
        help_text="The session's id; null without a session."
    )
    is_current = serializers.SerializerMethodField(help_text="Whether it happened on this session.")
    timestamp = serializers.DateTimeField()

    def get_text(self, event: Any) -> str:
        """Return the sentence for the event, or the event type's label."""
        return EVENT_TEXTS.get(event.event_type) or event.get_event_type_display()

    def get_device(self, event: Any) -> str:
        """Return the device's name."""
        return str(event.metadata.get("device", ""))

    def get_session(self, event: Any) -> str | None:
        """Return the session's id."""
        session: str | None = event.metadata.get("session")
        return session

    def get_is_current(self, event: Any) -> bool:
        """Return whether the event belongs to the session of this request."""
        return bool(event.metadata.get("session") == str(self.context["current"]))


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
