"""Template context of mails. Secret links are created at sending, so that none is stored."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from authentication.models import (
    AccountExport,
    ActionToken,
    EmailChange,
    EmailVerificationToken,
    OutgoingEmail,
    PasswordResetToken,
    SecondFactorRemoval,
    SensitiveChange,
    User,
    UserProfile,
)
from authentication.models.account_export import LIFETIME as EXPORT_LIFETIME
from authentication.models.email_change import CONFIRM_LIFETIME
from authentication.models.invitation import LIFETIME as INVITATION_LIFETIME
from authentication.models.sensitive_change import UNDO_LIFETIME
from authentication.services.acting import locked_account

from .address_owners import divert
from .device_context import new_country, new_device, session_disowned, token_reuse
from .invitation_mails import invitation_context, invitation_of
from .obsolete import EmailObsolete

Action, Kind = ActionToken.Action, OutgoingEmail.Kind
Context = dict[str, Any]

# Ends with the removal, which may wait long for its mail.
_STOP_LIFETIME = dt.timedelta(days=30)


def context_for(mail: OutgoingEmail, user: User) -> Context:
    """Return the context of a mail's templates, with new link tokens.

    The key `to` holds the recipient if that is not the address of the account, `timezone` the name
    of the user's time zone, `kind` the kind of the mail if it is another than the row's, `withheld`
    whether the mail must not reach its reader.

    Raises EmailObsolete if the mail must not be sent any more.
    """
    build = _BUILDERS.get(mail.kind)
    made = build(mail, user) if build else {}
    return {
        **mail.context,
        "user": user,
        "timezone": UserProfile.objects.timezone_of(user.pk),
        **made,
    }


def _verification(_: OutgoingEmail, user: User) -> Context:
    with locked_account(user.pk) as current:
        if current.email_verified or not current.has_address:
            raise EmailObsolete
        email = current.email
        token = EmailVerificationToken.objects.issue(user.pk, email=email, at=timezone.now())
    return {"to": email, "link": settings.EMAIL_VERIFICATION_URL.replace("{token}", token)}


def _password_reset(_: OutgoingEmail, user: User) -> Context:
    with locked_account(user.pk):
        token = PasswordResetToken.objects.issue(user, at=timezone.now())
    return {"link": settings.PASSWORD_RESET_URL.replace("{token}", token)}


def _email_change(mail: OutgoingEmail, user: User) -> Context:
    change, link = _change(
        mail, user, Action.CONFIRM_EMAIL, settings.EMAIL_CHANGE_URL, CONFIRM_LIFETIME
    )
    if change.confirmed_at:
        raise EmailObsolete
    return {"to": change.new_email, "link": link, **divert(mail, change)}


def _email_change_notice(mail: OutgoingEmail, user: User) -> Context:
    change, link = _change(mail, user, Action.UNDO_EMAIL, settings.EMAIL_UNDO_URL, UNDO_LIFETIME)
    return {"to": change.old_email, "link": link}


def _change(
    mail: OutgoingEmail, user: User, action: str, url: str, lifetime: dt.timedelta
) -> tuple[EmailChange, str]:
    change = EmailChange.objects.filter(
        pk=mail.context.get("change"), user=user, undone_at=None
    ).first()
    # The lifetime starts with the request, even if the mail is sent late.
    left = change.requested_at + lifetime - timezone.now() if change else dt.timedelta()
    if change is None or left <= dt.timedelta():
        raise EmailObsolete
    token = ActionToken.objects.issue(
        action, user_id=user.pk, at=timezone.now(), lifetime=left, change=str(change.pk)
    )
    return change, url.replace("{token}", token)


def _undoable(mail: OutgoingEmail, user: User) -> Context:
    """Return the link that undoes a sensitive change; none for a change that cannot be undone."""
    wanted = mail.context.get("undo")
    change = SensitiveChange.objects.filter(pk=wanted, user=user).first() if wanted else None
    left = change.made_at + UNDO_LIFETIME - timezone.now() if change else dt.timedelta()
    if change is None or left <= dt.timedelta():
        return {}
    token = ActionToken.objects.issue(
        Action.UNDO_CHANGE,
        user_id=user.pk,
        at=timezone.now(),
        lifetime=left,
        change=str(change.pk),
    )
    return {"link": settings.CHANGE_UNDO_URL.replace("{token}", token)}


def _former_address(mail: OutgoingEmail, user: User) -> Context:
    about = mail.context.get("about", Kind.EMAIL_CHANGE_NOTICE)
    news = render_to_string(f"emails/{about}.subject.txt")
    return {**_email_change_notice(mail, user), "news": " ".join(news.split())}


def _export_ready(mail: OutgoingEmail, user: User) -> Context:
    export = (
        AccountExport.objects.ready(at=timezone.now())
        .filter(pk=mail.context.get("export"), user=user)
        .first()
    )
    if export is None or export.ready_at is None:
        raise EmailObsolete
    left = export.ready_at + EXPORT_LIFETIME - timezone.now()
    token = ActionToken.objects.issue(
        Action.DOWNLOAD_EXPORT,
        user_id=user.pk,
        at=timezone.now(),
        lifetime=left,
        export=str(export.pk),
    )
    return {"link": settings.EXPORT_URL.replace("{token}", token)}


def _second_factor_removal(mail: OutgoingEmail, user: User) -> Context:
    removal = (
        SecondFactorRemoval.objects.pending()
        .filter(pk=mail.context.get("removal"), user=user)
        .first()
    )
    if removal is None:
        raise EmailObsolete
    token = ActionToken.objects.issue(
        Action.STOP_FACTOR_REMOVAL,
        user_id=user.pk,
        at=timezone.now(),
        lifetime=_STOP_LIFETIME,
        removal=str(removal.pk),
    )
    return {"link": settings.FACTOR_REMOVAL_STOP_URL.replace("{token}", token)}


def _invitation(mail: OutgoingEmail, _: User) -> Context:
    invitation = invitation_of(mail)
    if invitation is None:
        raise EmailObsolete
    return {
        "days": INVITATION_LIFETIME.days,
        **invitation_context(mail, invitation),
    }


_BUILDERS: dict[str, Callable[[OutgoingEmail, User], Context]] = {
    Kind.VERIFICATION: _verification,
    Kind.CHOOSE_PASSWORD: _password_reset,
    Kind.PASSWORD_RESET: _password_reset,
    Kind.NEW_DEVICE: new_device,
    Kind.NEW_COUNTRY: new_country,
    Kind.TOKEN_REUSE: token_reuse,
    Kind.EXPORT_READY: _export_ready,
    Kind.SECOND_FACTOR_REMOVAL: _second_factor_removal,
    Kind.EMAIL_CHANGE: _email_change,
    Kind.EMAIL_CHANGE_NOTICE: _email_change_notice,
    Kind.FORMER_ADDRESS: _former_address,
    Kind.SESSION_DISOWNED: session_disowned,
    Kind.ACCOUNT_DELETED: _undoable,
    Kind.SECOND_FACTOR_CHANGED: _undoable,
    Kind.USERNAME_CHANGED: _undoable,
    Kind.NOTICES_STOPPED: _undoable,
    Kind.INVITATION: _invitation,
}
