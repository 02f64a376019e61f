"""A body that is accepted, for every operation of the OpenAPI document."""

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from authentication.models import (
    AccountExport,
    ActionToken,
    EmailChange,
    EmailVerificationToken,
    Invitation,
    PasswordResetToken,
    SecondFactorRemoval,
    SensitiveChange,
    SignInChallenge,
    User,
    UserSession,
)
from authentication.services import (
    AuthenticationService,
    ExchangeTokenService,
    ExportService,
    SecondFactorService,
)
from authentication.tests.clients import NEW_PASSWORD
from authentication.tests.factories import (
    PASSWORD,
    Factor,
    UserFactory,
    give_factor,
    unverified_user,
)
from authentication.utils.client import ClientInfo


def invitation_token() -> str:
    """Return the mailed token of a new invitation."""
    at = timezone.now()
    invitation = Invitation.to(
        "naomi@example.com", first_name="Naomi", last_name="Judah", invited_by=None, at=at
    )
    invitation.save()
    return str(Invitation.objects.issue(invitation.pk, at=at))


def signed_in() -> Any:
    """Return the sign-in of a new user: some requests end the session they use."""
    user = UserFactory()
    return AuthenticationService.log_in(
        identifier=user.email, password=PASSWORD, client=ClientInfo()
    )


def verification_token(user: User) -> str:
    User.objects.filter(pk=user.pk).update(email_verified=False, email_verified_at=None)
    return EmailVerificationToken.objects.issue(user.pk, email=user.email, at=timezone.now())


def export_token(user: User) -> str:
    export = AccountExport.objects.create(user=user)
    ExportService.build(export.pk)
    return ActionToken.objects.issue(
        ActionToken.Action.DOWNLOAD_EXPORT,
        user_id=user.pk,
        at=timezone.now(),
        lifetime=dt.timedelta(hours=1),
        export=str(export.pk),
    )


def change_token(user: User, action: str) -> str:
    change = EmailChange.objects.create(
        user=user, old_email=user.email, new_email=f"new-{user.email}"
    )
    return ActionToken.objects.issue(
        action,
        user_id=user.pk,
        at=timezone.now(),
        lifetime=dt.timedelta(days=1),
        change=str(change.pk),
    )


def undo_token(session: UserSession) -> str:
    now = timezone.now()
    change = SensitiveChange.objects.note("notices", session=session, at=now)
    return ActionToken.objects.issue(
        ActionToken.Action.UNDO_CHANGE,
        user_id=session.user_id,
        at=now,
        lifetime=dt.timedelta(days=1),
        change=str(change.pk),
    )


def removal_token(user: User) -> str:
    removal = SecondFactorRemoval.objects.create(
        user=user, factor_since=timezone.now(), reason="The phone is lost."
    )
    return ActionToken.objects.issue(
        ActionToken.Action.STOP_FACTOR_REMOVAL,
        user_id=user.pk,
        at=timezone.now(),
        lifetime=dt.timedelta(days=1),
        removal=str(removal.pk),
    )


def offered_code(user: User) -> str:
    session = UserSession.objects.filter(user=user).latest("created_at")
    session.user = user
    offer = SecondFactorService.set_up(session, password=PASSWORD, client=ClientInfo())
    return Factor(base64.b32decode(offer.secret), []).code()


def pending_sign_in(user: User) -> dict[str, str]:
    code = give_factor(user).recovery_codes[0]
    token = SignInChallenge.objects.issue(user, at=timezone.now(), by_password=True)
    return {"mfa_token": token, "recovery_code": code}


# A body that is accepted from a user with a session, by operation.
ACCEPTED_BODIES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "register": lambda _: {
        "email": "naomi@example.org",
        "password": PASSWORD,
        "password_confirm": PASSWORD,
        "username": "naomi",
        "first_name": "Naomi",
        "last_name": "",
        "display_name": "Naomi B.",
        "timezone": "Europe/Berlin",
        "terms_accepted": True,
        "privacy_policy_accepted": True,
    },
    "login": lambda it: {
        "email": it.user.email,
        "password": PASSWORD,
        "remember_me": True,
        "device_name": "a",
        "otp": "",
    },
    "logout": lambda _: {},
    "reauthenticate": lambda _: {"password": PASSWORD},
    "totp_setup": lambda _: {"password": PASSWORD},
    "totp_confirm": lambda it: {"otp": offered_code(it.user)},
    "second_factor_verify": lambda it: pending_sign_in(it.user),
    "token_refresh": lambda _: {},
    "token_verify": lambda it: {"token": it.tokens.access},
    "exchange_token": lambda it: {
        "exchange_token": ExchangeTokenService.create(user_id=it.user.pk)
    },
    "password_change": lambda _: {"old_password": PASSWORD, "new_password": NEW_PASSWORD},
    "password_reset": lambda it: {"email": it.user.email},
    "password_reset_confirm": lambda it: {
        "token": PasswordResetToken.objects.issue(it.user, at=timezone.now()),
        "new_password": NEW_PASSWORD,
    },
    "email_verify": lambda it: {"token": verification_token(it.user)},
    "email_resend": lambda it: {"email": it.user.email},
    "email_correct": lambda _: {
        "email": unverified_user().email,
        "password": PASSWORD,
        "new_email": "naomi@example.net",
    },
    "invitation_accept": lambda _: {"token": invitation_token(), "password": NEW_PASSWORD},
    "session_rename": lambda _: {"device_name": "Naomi's phone"},
    "session_disown": lambda it: {
        "token": ActionToken.objects.issue(
            ActionToken.Action.DISOWN_SESSION,
            user_id=it.user.pk,
            at=timezone.now(),
            lifetime=dt.timedelta(days=1),
            session=str(it.session.pk),
        )
    },
    "second_factor_removal_stop": lambda it: {"token": removal_token(it.user)},
    "account_email_change": lambda _: {"email": "naomi@example.net"},
    "account_email_confirm": lambda it: {
        "token": change_token(it.user, ActionToken.Action.CONFIRM_EMAIL)
    },
    "account_email_undo": lambda it: {
        "token": change_token(it.user, ActionToken.Action.UNDO_EMAIL)
    },
    "account_change_undo": lambda it: {"token": undo_token(it.session)},
    "notices_update": lambda _: {"notices": False},
    "export_download": lambda it: {"token": export_token(it.user)},
    "consents_give": lambda _: {"terms_accepted": True, "privacy_policy_accepted": True},
    "profile_update": lambda _: {
        "username": "orpah",
        "timezone": "Asia/Tokyo",
        "visibility": "members",
    },
}
WITHOUT_BODY = {
    "second_factor",
    "second_factor_disable",
    "recovery_codes",
    "csrf",
    "sessions",
    "sessions_terminate_all",
    "session",
    "session_terminate",
    "health",
    "live",
    "profile",
    "activity",
    "account_delete",
    "export",
    "export_request",
    "notices",
    "account_email",
    "account_email_cancel",
    "consents",
    "activity_disown",
}
