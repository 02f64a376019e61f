"""The values of columns with choices in words, for staff: kinds of mails, reasons, and the like."""

from typing import Any

from django.utils.translation import gettext, gettext_noop

from authentication.models import AuditLog, OutgoingEmail

from .event_words import STATES_OF_MAIL, words_for

CHOICES = {
    # Risks
    "Low": gettext_noop("low"),
    "Medium": gettext_noop("medium"),
    "High": gettext_noop("high"),
    "Critical": gettext_noop("critical"),
    # Documents
    "Terms": gettext_noop("terms of use"),
    "Privacy Policy": gettext_noop("privacy policy"),
    # Mails
    "Verification": gettext_noop("Confirm the address"),
    "Account Exists": gettext_noop("The address has an account"),
    "Account Locked": gettext_noop("Account locked"),
    "Choose Password": gettext_noop("Choose a password"),
    "Password Reset": gettext_noop("Password reset"),
    "Password Changed": gettext_noop("Password changed"),
    "Breached Password": gettext_noop("Password known from a breach"),
    "New Device": gettext_noop("New device"),
    "New Country": gettext_noop("New country"),
    "Account Deleted": gettext_noop("Account deleted"),
    "Export Ready": gettext_noop("Copy of the data ready"),
    "Export Failed": gettext_noop("Copy of the data failed"),
    "Email Change": gettext_noop("Confirm a new address"),
    "Email Change Notice": gettext_noop("Address being changed"),
    "Second Factor Changed": gettext_noop("Two-step sign-in changed"),
    "Second Factor Blocked": gettext_noop("Codes blocked"),
    "Recovery Code Used": gettext_noop("Recovery code used"),
    "Second Factor Removal": gettext_noop("Removal of two-step sign-in"),
    "Token Reuse": gettext_noop("Copied sign-in"),
    "Username Changed": gettext_noop("Username changed"),
    "Notices Stopped": gettext_noop("Notices turned off"),
    "Session Disowned": gettext_noop("Stranger reported"),
    "Former Address": gettext_noop("Address no longer used"),
    "Audit Seal": gettext_noop("Seal of the audit log"),
    "Invitation": gettext_noop("Invitation"),
    "Role Changed": gettext_noop("Role changed"),
    # Ends of removals
    "Carried Out": gettext_noop("carried out"),
    "stopped by the user": gettext_noop("stopped by the user"),
    "cancelled by staff": gettext_noop("cancelled by staff"),
    "the factor was gone": gettext_noop("the factor was gone"),
    # Ends of sessions and reasons of revoked tokens
    "Rotation": gettext_noop("replaced by the next one"),
    "Logout": gettext_noop("signed out"),
    "Terminated": gettext_noop("ended from another device"),
    "Evicted": gettext_noop("too many devices"),
    "Reuse": gettext_noop("copied sign-in"),
    "Password Change": gettext_noop("password changed"),
    "Compromised": gettext_noop("compromised"),
    "Disowned": gettext_noop("reported as a stranger"),
    "Deletion": gettext_noop("deletion of the account"),
    "Second Factor": gettext_noop("two-step sign-in"),
    "Admin": gettext_noop("by staff"),
    "Expired": gettext_noop("expired"),
    # Links
    "Disown Session": gettext_noop("report a stranger"),
    "Confirm Email": gettext_noop("confirm a new address"),
    "Undo Email": gettext_noop("take the old address back"),
    "Undo Change": gettext_noop("undo a change"),
    "Download Export": gettext_noop("download the copy of the data"),
    "Stop Factor Removal": gettext_noop("stop the removal of two-step sign-in"),
    # Changes
    "Email": gettext_noop("address"),
    "Username": gettext_noop("username"),
    "Notices": gettext_noop("notices"),
    # Locks
    "Too many wrong passwords": gettext_noop("too many wrong passwords"),
    # Profiles
    "Private": gettext_noop("private"),
    "Members": gettext_noop("members"),
    "Public": gettext_noop("public"),
}
"""Words for staff by the labels of the models, which are the same for every reader."""


def words_of_choice(label: object) -> str:
    """Return the words for the label of a choice, in the current language."""
    known = CHOICES.get(str(label))
    return gettext(known) if known else str(label)


def words_of_value(field: Any, value: Any) -> str:
    """Return the words for a value of a column with choices."""
    if field.model is AuditLog and field.name == "event_type":
        return words_for(value)
    if field.model is OutgoingEmail and field.name == "status":
        return str(STATES_OF_MAIL.get(value, value))
    return words_of_choice(dict(field.flatchoices).get(value, value))
