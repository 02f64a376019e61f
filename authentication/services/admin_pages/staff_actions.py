"""What staff do for one person: the button, the question that is asked once, and what is said."""

from django.utils.translation import gettext_lazy as _

from authentication.models import SecondFactorRemoval, User
from authentication.services.acted_by import ActedBy
from authentication.services.administration import AdministrationService
from authentication.services.sign_in import SecondFactorRemovalService
from authentication.services.staff_roles import RoleService
from authentication.services.written_requests import StaffNoteService, WrittenRequestService

from .conditions import (
    has_factor_alone,
    has_removal,
    is_below,
    is_other,
    may_change_role,
    may_confirm,
    may_correct,
    may_delete,
    may_have_role,
    waits_for_proof,
)
from .person import removal_of
from .staff_action import StaffAction


def _confirm_removal(user: User, *, by: ActedBy) -> None:
    SecondFactorRemovalService.confirm(_pending(user), by=by)


def _cancel_removal(user: User, *, by: ActedBy) -> None:
    SecondFactorRemovalService.cancel(_pending(user), by=by)


def _pending(user: User) -> SecondFactorRemoval:
    # One that is over has no row here; the service refuses it with a sentence.
    return removal_of(user) or SecondFactorRemoval(user=user)


_ACTIONS = (
    StaffAction(
        "unlock",
        _("Unlock"),
        _("They can sign in again at once, from every device. Wrong passwords are counted anew."),
        _("Unlocked."),
        AdministrationService.unlock,
        lambda user, _: user.is_active,
        is_for_many=True,
        permission="authentication.unlock_user",
        is_for=is_other,
    ),
    StaffAction(
        "send-verification",
        _("Send the verification mail again"),
        _("They get a mail with a new link to confirm the address. Older links stop working."),
        _("The verification mail is on its way."),
        AdministrationService.resend_verification,
        waits_for_proof,
        is_for_many=True,
        permission="authentication.resend_mail",
    ),
    StaffAction(
        "send-reset",
        _("Send a link for a new password"),
        _("They get a mail with a link to choose a new password. The old one works until then."),
        _("The mail with the link is on its way."),
        AdministrationService.send_reset_link,
        lambda user, _: user.is_active and user.has_address,
        is_for_many=True,
        permission="authentication.resend_mail",
    ),
    StaffAction(
        "correct-address",
        _("Correct the address"),
        _(
            "For an address that was mistyped and never confirmed. The link goes to the new"
            " address, and older links stop working."
        ),
        _("The address is corrected, and the verification mail is on its way."),
        AdministrationService.correct_address,
        lambda user, _: user.is_active and not user.email_verified,
        is_grave=True,
        needs_proof=True,
        needs_reason=True,
        asks_address=True,
        permission="authentication.correct_address",
        is_for=may_correct,
    ),
    StaffAction(
        "end-sessions",
        _("Sign out everywhere"),
        _("Every device is signed out and becomes unknown, and open links stop working."),
        _("Signed out everywhere."),
        AdministrationService.end_sessions,
        lambda *_: True,
        is_grave=True,
        is_for_many=True,
        permission="authentication.end_sessions",
    ),
    StaffAction(
        "remove-factor",
        _("Remove two-step sign-in"),
        _(
            "For a person who has lost app and recovery codes. They are mailed and can stop it. It"
            " happens after 24 hours, or once a second member of staff confirms it."
        ),
        _("The removal waits for 24 hours or for a second member of staff."),
        SecondFactorRemovalService.request,
        has_factor_alone,
        is_grave=True,
        needs_reason=True,
        is_for_many=True,
        needs_proof=True,
        permission="authentication.remove_second_factor",
        is_for=is_other,
    ),
    StaffAction(
        "confirm-removal",
        _("Confirm the removal of two-step sign-in"),
        _("Two-step sign-in is turned off at once, and every device is signed out."),
        _("Two-step sign-in is removed."),
        _confirm_removal,
        has_removal,
        is_grave=True,
        needs_proof=True,
        permission="authentication.change_secondfactorremoval",
        is_for=may_confirm,
    ),
    StaffAction(
        "cancel-removal",
        _("Cancel the removal of two-step sign-in"),
        _("Two-step sign-in stays on."),
        _("The removal is cancelled."),
        _cancel_removal,
        has_removal,
        permission="authentication.change_secondfactorremoval",
        is_for=is_other,
    ),
    StaffAction(
        "disable",
        _("Disable the account"),
        _("They are signed out everywhere and cannot sign in until the account is enabled again."),
        _("The account is disabled."),
        AdministrationService.disable,
        lambda user, _: user.is_active and not user.deletion_requested_at,
        is_grave=True,
        needs_reason=True,
        is_for_many=True,
        permission="authentication.disable_user",
        is_for=is_other,
    ),
    StaffAction(
        "enable",
        _("Enable the account"),
        _("They can sign in again."),
        _("The account is enabled."),
        AdministrationService.enable,
        lambda user, _: not user.is_active and not user.erasure_key,
        needs_reason=True,
        is_for_many=True,
        needs_proof=True,
        permission="authentication.disable_user",
        is_for=is_below,
    ),
    StaffAction(
        "start-export",
        _("Make a copy of their data"),
        _(
            "For a person who asked for it in writing. They are mailed when it is ready, and open"
            " it with their password. You do not see it."
        ),
        _("The copy is being made."),
        WrittenRequestService.start_export,
        lambda user, _: user.is_active and user.email_verified,
        permission="authentication.start_export",
        needs_reason=True,
    ),
    StaffAction(
        "delete",
        _("Delete the account"),
        _(
            "For a person who asked for it in writing. They are signed out everywhere and mailed."
            " The mail says on which day the account is erased; signing in before that day keeps"
            " it."
        ),
        _("The account will be erased."),
        WrittenRequestService.request_deletion,
        lambda user, _: user.is_active and not (user.deletion_requested_at or user.erasure_key),
        permission="authentication.request_deletion",
        is_grave=True,
        needs_proof=True,
        needs_reason=True,
        is_for=may_delete,
    ),
    StaffAction(
        "note",
        _("Write a note"),
        _("Staff see it on this page. The person sees it in the copy of their data."),
        _("The note is kept."),
        StaffNoteService.add,
        lambda *_: True,
        permission="authentication.add_staffnote",
        asks_note=True,
    ),
    StaffAction(
        "role",
        _("Give a role"),
        _(
            "The role replaces every right that they have in the admin. If they lose a right, they"
            " are signed out of the admin."
        ),
        _("The role is given."),
        RoleService.give,
        may_have_role,
        is_grave=True,
        needs_proof=True,
        needs_reason=True,
        asks_role=True,
        permission="authentication.give_role",
        is_for=may_change_role,
    ),
)
STAFF_ACTIONS = {action.name: action for action in _ACTIONS}
