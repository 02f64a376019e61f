"""What happened to an account, in words for staff."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authentication.models import AuditLog, OutgoingEmail

EVENTS: dict[str, Any] = {
    "admin_action": _("Staff acted on an account"),
    "registration": _("Made the account"),
    "registration_duplicate": _("Somebody registered again with this address"),
    "email_verified": _("Confirmed the address"),
    "email_verification_failed": _("Tried a link to confirm the address that is not valid"),
    "address_released": _("The address was released: its owner registered it"),
    "email_resend": _("Asked for the verification mail again"),
    "email_corrected": _("The address was corrected"),
    "login": _("Signed in"),
    "login_failed": _("A sign-in failed"),
    "reauthenticated": _("Confirmed who they are"),
    "second_factor_asked": _("Gave the password, and was asked for a code"),
    "second_factor_used": _("Gave a right code"),
    "second_factor_failed": _("Gave a wrong code"),
    "second_factor_blocked": _("Codes are refused for a while, after too many wrong ones"),
    "second_factor_offered": _("Began to set up two-step sign-in"),
    "second_factor_enabled": _("Turned two-step sign-in on"),
    "second_factor_disabled": _("Two-step sign-in was turned off"),
    "second_factor_removal_requested": _("Staff asked to remove two-step sign-in"),
    "second_factor_removal_stopped": _("Stopped the removal of two-step sign-in"),
    "second_factor_removal_cancelled": _("The removal of two-step sign-in was cancelled"),
    "second_factor_removal_failed": _("Tried a link against the removal that is not valid"),
    "recovery_codes_renewed": _("Made new recovery codes"),
    "account_locked": _("Locked for a while, after too many wrong passwords"),
    "account_unlocked": _("Staff unlocked the account"),
    "logout": _("Signed out"),
    "token_reuse_detected": _("A copy of a device's sign-in was used: that device was signed out"),
    "token_refresh": _("Stayed signed in"),
    "token_exchange_failed": _("Tried a sign-in link that is not valid"),
    "token_exchange": _("Signed in with the link of a mail"),
    "session_terminated": _("Signed a device out"),
    "sessions_terminated": _("Signed all other devices out"),
    "session_evicted": _("The device idle longest was signed out: there were too many"),
    "session_renewed": _("Stayed signed in after a new password"),
    "session_renamed": _("Gave a device another name"),
    "session_disown_failed": _("Tried a link against a device that is not valid"),
    "session_disowned": _("Said that something was not them"),
    "profile_updated": _("Changed the profile"),
    "email_change_requested": _("Asked to change the address"),
    "email_change_cancelled": _("Gave up a change of the address"),
    "email_change_failed": _("Tried a link for a new address that is not valid"),
    "email_changed": _("Changed the address"),
    "email_change_undone": _("Took the old address back"),
    "email_bounced": _("A mail could not be delivered"),
    "email_complained": _("Called our mail spam"),
    "change_undone": _("Undid a change with a link from a mail"),
    "change_undo_failed": _("Tried a link against a change that is not valid"),
    "notices_changed": _("Changed which mails they want"),
    "export_requested": _("Asked for a copy of their data"),
    "export_downloaded": _("Downloaded the copy of their data"),
    "export_download_failed": _("Did not get the copy of their data"),
    "account_erased": _("The account was erased"),
    "account_deletion_requested": _("Asked to delete the account"),
    "account_restored": _("Kept the account after all"),
    "consent_given": _("Accepted the terms or the privacy policy"),
    "password_change": _("Changed the password"),
    "password_reset_requested": _("Asked for a link to choose a new password"),
    "password_reset": _("Chose a new password with a link from a mail"),
    "password_reset_failed": _("Tried a link for a new password that is not valid"),
    "password_breached": _("The password was found in a published breach"),
    "token_revoked": _("Staff signed a device out"),
    "exchange_replayed": _("A sign-in link was used twice: that device was signed out"),
    "new_country": _("Used in a country that is new to the account"),
    "impossible_travel": _("Used at two places too far apart for the time between"),
    "many_accounts_tried": _("Sign-ins to many accounts failed from this address"),
    "many_addresses": _("Devices at many addresses tried to sign in"),
    "admin_login": _("Signed in to the admin"),
    "admin_login_refused": _("A sign-in to the admin was refused"),
    "invitation_failed": _("Tried an invitation that is not valid"),
    "invitation_accepted": _("Accepted an invitation"),
    "audit_log_exported": _("The audit log was copied"),
}
ACTIONS: dict[str, Any] = {
    "end_sessions": _("Staff ended all sessions"),
    "end_session": _("Staff ended a session"),
    "resend_verification": _("Staff sent the verification mail again"),
    "send_reset_link": _("Staff sent a link to choose a new password"),
    "disable": _("Staff disabled the account"),
    "enable": _("Staff enabled the account"),
    "change": _("Staff changed a name"),
    "import_invitations": _("Staff invited the people of a file"),
    "invite": _("Staff invited a person"),
    "revoke_invitation": _("Staff took an invitation back"),
    "give_role": _("Staff gave another role"),
    "add_note": _("Staff wrote a note"),
    "end_every_session": _("Staff ended the sessions of all people"),
    "change_group": _("Staff changed the rights of a group"),
    "run_again": _("Staff ran a task again"),
    "start_bulk": _("Staff started a bulk action"),
    "stop_bulk": _("Staff stopped a bulk action"),
    "send_again": _("Staff sent a mail again"),
}
STATES_OF_MAIL: dict[str, Any] = {
    OutgoingEmail.Status.QUEUED: _("waits"),
    OutgoingEmail.Status.SENDING: _("is being sent"),
    OutgoingEmail.Status.SENT: _("sent"),
    OutgoingEmail.Status.SUPPRESSED: _("not sent: not wanted, or too many"),
    OutgoingEmail.Status.DEAD: _("could not be delivered"),
}


def text_of(event: AuditLog) -> str:
    """Return what an event tells."""
    if event.event_type == AuditLog.Event.ADMIN_ACTION:
        action = str(event.metadata.get("action", ""))
        known = ACTIONS.get(action)
        if known:
            return str(known)
        return gettext("Staff: {action}").format(action=action.replace("_", " "))
    return words_for(event.event_type)


def words_for(event_type: str) -> str:
    """Return what a type of event tells."""
    return str(EVENTS.get(event_type) or event_type.replace("_", " ").capitalize())
