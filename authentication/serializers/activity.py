"""Shapes of what happened to a person's account."""

from typing import Any

from rest_framework import serializers

from .fields import TokenField

EVENT_TEXTS = {
    "registration": "You opened your account.",
    "registration_duplicate": "Somebody tried to open another account with your email address.",
    "email_verified": "You confirmed your email address.",
    "email_resend": "A new link to confirm your email address was asked for.",
    "login": "You signed in.",
    "login_failed": "A sign-in failed.",
    "reauthenticated": "You proved again that it is you.",
    "second_factor_asked": "Your password was right, and the code of your second factor was asked for.",
    "second_factor_used": "A code of your second factor was used.",
    "second_factor_failed": "A wrong code was given for your second factor.",
    "second_factor_blocked": "Codes were refused for a while, after too many wrong ones.",
    "second_factor_offered": "Setting up a second factor was begun.",
    "second_factor_enabled": "A second factor was set up.",
    "second_factor_disabled": "Your second factor was given up.",
    "recovery_codes_renewed": "You made new recovery codes.",
    "account_locked": "Sign-in was locked for a while, after too many wrong passwords.",
    "account_unlocked": "Support lifted the lock on signing in.",
    "logout": "You signed out.",
    "token_reuse_detected": "A copy of a device's sign-in was used. The device was signed out, to be safe.",
    "token_exchange": "You signed in by confirming your email address.",
    "session_terminated": "You signed a device out.",
    "sessions_terminated": "You signed all other devices out.",
    "session_evicted": "The device you had not used longest was signed out, because there were too many.",
    "session_renewed": "Your device was signed in anew after a change of password.",
    "session_disowned": "You said that something was not you.",
    "profile_updated": "Your profile was changed.",
    "email_change_requested": "A change of your email address was asked for.",
    "email_change_cancelled": "A change of your email address was given up.",
    "email_changed": "Your email address was changed.",
    "email_change_undone": "A change of your email address was undone.",
    "email_bounced": "A mail to your address came back.",
    "email_complained": "A mail to you was reported as unwanted.",
    "notices_changed": "Your choice of notices was changed.",
    "export_requested": "A copy of your data was asked for.",
    "export_downloaded": "The copy of your data was fetched.",
    "account_deletion_requested": "The deletion of your account was asked for.",
    "account_restored": "The deletion of your account was taken back.",
    "consent_given": "You agreed to the terms or the privacy policy.",
    "password_change": "Your password was changed.",
    "password_reset_requested": "A link to choose a new password was asked for.",
    "password_reset": "A new password was chosen through a link in a mail.",
    "password_breached": "Your password was found in a published data breach.",
    "token_revoked": "Support signed a device out.",
    "exchange_replayed": "A sign-in link was used twice. The device it had signed in was signed out, to be safe.",
    "admin_login": "You signed in to the administration.",
    "admin_login_refused": "A sign-in to the administration was refused.",
    "admin_action": "Support changed something on your account.",
}
"""What an event means to the person it happened to, in a sentence."""


class ActivityEventSerializer(serializers.Serializer[Any]):
    """Something that happened."""

    id = serializers.UUIDField()
    event = serializers.CharField(source="event_type")
    text = serializers.SerializerMethodField(help_text="What happened, in a sentence.")
    success = serializers.BooleanField()
    risk_level = serializers.CharField()
    ip_address = serializers.CharField(allow_null=True)
    device = serializers.SerializerMethodField(help_text="Empty where it is not known.")
    session = serializers.SerializerMethodField(
        help_text="The device's session; null where there was none."
    )
    is_current = serializers.SerializerMethodField(
        help_text="Whether it was the session that asks."
    )
    timestamp = serializers.DateTimeField()

    def get_text(self, event: Any) -> str:
        """Return the event in words; one without words of its own still has a name."""
        return EVENT_TEXTS.get(event.event_type) or event.get_event_type_display()

    def get_device(self, event: Any) -> str:
        """Return the name of the device."""
        return str(event.metadata.get("device", ""))

    def get_session(self, event: Any) -> str | None:
        """Return the id of the session."""
        session: str | None = event.metadata.get("session")
        return session

    def get_is_current(self, event: Any) -> bool:
        """Return whether it was the session that asks."""
        return bool(event.metadata.get("session") == str(self.context["current"]))


class ActivitySerializer(serializers.Serializer[Any]):
    """A page of events, the newest first."""

    events = ActivityEventSerializer(many=True)
    next = serializers.CharField(
        allow_null=True, help_text="Where the older ones are; null on the last page."
    )
    previous = serializers.CharField(allow_null=True)


class DisownSerializer(serializers.Serializer[Any]):
    """The token from the mail that told of a new device."""

    token = TokenField()


class DisownedSerializer(serializers.Serializer[Any]):
    """That the device is signed out, and what to do next."""

    message = serializers.CharField()
    reset_token = serializers.CharField(help_text="Good for password/reset/confirm/.")
