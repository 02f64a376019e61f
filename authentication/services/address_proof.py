"""Proving an address, by a mailed link or a password reset: it decides who owns the account."""

import datetime as dt

from authentication.models import (
    AccountExport,
    ActionToken,
    Consent,
    EmailChange,
    KnownCountry,
    KnownDevice,
    PasswordHistory,
    PasswordResetToken,
    SignInChallenge,
    StaffNote,
    TokenBlacklist,
    User,
    UserProfile,
)
from authentication.services.mail import EmailService, Kind
from authentication.services.revocation import end_all_sessions
from authentication.utils import languages

# What a registration stored. In a contested account it may be a stranger's.
_CLEARED = {
    "contested_at": None,
    "first_name": "",
    "last_name": "",
    "deletion_requested_at": None,
    "deletion_receipt": "",
    "language": "",
    "terms_accepted_at": None,
    "terms_version": "",
    "privacy_policy_accepted_at": None,
    "privacy_policy_version": "",
}


def prove_address(
    user: User, *, at: dt.datetime, is_password_new: bool = False, is_mailed: bool = True
) -> None:
    """Store that the reader of an account's mail has proven its address.

    Call it with the account locked, and with `user` as the lock read it. Verification links of the
    account are void from then on (`EmailVerificationToken.is_bound`).

    A contested account passes to the reader as if it were new, except for its username, which
    is public. Its password works no more, unless `is_password_new` says that the reader has just
    chosen it; otherwise a mail leads to choosing one, unless the caller's own answer does
    (`is_mailed`): the mail's link would void it.
    """
    if user.contested_at:
        _revoke_all(user, at=at)
        _clear(user, at=at, is_password_new=is_password_new)
        if is_mailed and not is_password_new:
            EmailService.queue(Kind.CHOOSE_PASSWORD, user_id=user.pk)
    User.objects.verify_email(user.pk, at=at)


def _clear(user: User, *, at: dt.datetime, is_password_new: bool) -> None:
    for name, value in _CLEARED.items():
        setattr(user, name, value)
    changed = [*_CLEARED]
    if not is_password_new:
        user.set_unusable_password()
        user.password_changed_at = max(at, user.password_changed_at + dt.timedelta.resolution)
        user.password_breached_at = None
        changed += ["password", "password_changed_at", "password_breached_at"]
        PasswordHistory.objects.filter(user=user).delete()
    user.registered_language = languages.current()
    user.save(update_fields=[*changed, "registered_language"])
    if UserProfile.objects.filter(user=user).exists():
        UserProfile(user=user).save(force_update=True)
    # They are about the person who registered.
    StaffNote.objects.filter(user=user).delete()
    # Consent is the person's own (GDPR, article 7): it is asked for again.
    Consent.objects.filter(user=user).delete()


def _revoke_all(user: User, *, at: dt.datetime) -> None:
    """End what was begun with the password, where unproven accounts can sign in."""
    PasswordResetToken.objects.void(user.pk)
    ActionToken.objects.void(user.pk)
    SignInChallenge.objects.filter(user=user).delete()
    EmailChange.objects.cancel(user.pk, at=at)
    AccountExport.objects.filter(user=user).delete()
    KnownDevice.objects.forget(user.pk)
    KnownCountry.objects.filter(user=user).delete()
    end_all_sessions(user, reason=TokenBlacklist.Reason.DISOWNED, at=at)
