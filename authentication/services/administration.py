"""What staff may do to accounts. Each action is audited with its actor and its target."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authentication.exceptions import NotFound, PermissionRefused
from authentication.models import (
    FailedTask,
    KnownDevice,
    OutgoingEmail,
    SecondFactor,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services import revocation
from authentication.services.acting import locked_account
from authentication.services.audit import Event, Risk, record, record_action
from authentication.services.background import run_again
from authentication.services.mail import EmailService, Kind
from authentication.services.operators import Operator
from authentication.services.ranks import check_rank
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_identifier

Reason = TokenBlacklist.Reason
_PROVEN = "This address is verified already."
_CLOSED = "This account is disabled, and gets no mail."
_ONESELF = "This is your own account. Another member of staff has to disable it."


class AdministrationService:
    """What staff may do to accounts. Raises PermissionRefused if the target outranks the actor."""

    @staticmethod
    def unlock(user: User, *, actor: User | None, client: ClientInfo) -> None:
        """Lift the locks of an account and of its devices."""
        check_rank(actor, user)
        with locked_account(user.pk):
            User.objects.filter(pk=user.pk).unlock(at=timezone.now())
            KnownDevice.objects.filter(user=user).clear_attempts()
            SecondFactor.objects.forget_tries(user.pk)
            record(
                Event.ACCOUNT_UNLOCKED,
                user_id=user.pk,
                client=client,
                risk=Risk.MEDIUM,
                actor=_name(actor),
            )

    @staticmethod
    def end_sessions(
        user: User, *, actor: User | None, client: ClientInfo, operator: Operator | None = None
    ) -> int:
        """End every session of a user, void open links and make every device unknown.

        Returns how many sessions ended.
        """
        check_rank(actor, user)
        now, by = timezone.now(), {"operator": operator.name} if operator else {}
        with locked_account(user.pk):
            revocation.void_links(user, at=now)
            KnownDevice.objects.forget(user.pk)
            count = revocation.end_all_sessions(user, reason=Reason.ADMIN, at=now)
            _note("end_sessions", user.pk, actor, client, count=count, **by)
        return count

    @staticmethod
    def end_session(session: UserSession, *, actor: User | None, client: ClientInfo) -> None:
        """End one session."""
        check_rank(actor, session.user)
        with locked_account(session.user_id):
            UserSession.objects.filter(pk=session.pk).end(reason=Reason.ADMIN, at=timezone.now())
            _note("end_session", session.user_id, actor, client, session=str(session.pk))

    @staticmethod
    def rows_to_revoke() -> int:
        """Return how many rows `end_every_session` would change."""
        return revocation.count_of_everybody(at=timezone.now())

    @staticmethod
    def end_every_session(
        *, operator: Operator, client: ClientInfo, on_batch: Callable[[int], None]
    ) -> int:
        """Do for every user what `end_sessions` does for one; return how many sessions ended."""
        total = revocation.revoke_everybody(reason=Reason.ADMIN, on_batch=on_batch)
        _note("end_every_session", None, None, client, count=total, operator=operator.name)
        return total

    @staticmethod
    def find(identifier: str) -> User:
        """Return the user with an address or username; raises NotFound."""
        user: User | None = User.objects.identified_by(canonical_identifier(identifier)).first()
        if user is None:
            raise NotFound
        return user

    @staticmethod
    def find_by_id(pk: uuid.UUID) -> User:
        """Return the user with an id; raises NotFound."""
        user: User | None = User.objects.filter(pk=pk).first()
        if user is None:
            raise NotFound
        return user

    @staticmethod
    def resend_verification(user: User, *, actor: User | None, client: ClientInfo) -> None:
        """Mail a user the link that proves their address."""
        check_rank(actor, user)
        _check_open(user)
        if user.email_verified:
            raise PermissionRefused(_PROVEN)
        with locked_account(user.pk):
            EmailService.check_limit(Kind.VERIFICATION, user_id=user.pk)
            EmailService.queue(Kind.VERIFICATION, user_id=user.pk)
            _note("resend_verification", user.pk, actor, client)

    @staticmethod
    def send_reset_link(user: User, *, actor: User | None, client: ClientInfo) -> None:
        """Mail a user the link to choose a new password; staff never choose one."""
        check_rank(actor, user)
        _check_open(user)
        with locked_account(user.pk):
            EmailService.check_limit(Kind.PASSWORD_RESET, user_id=user.pk)
            EmailService.queue(Kind.PASSWORD_RESET, user_id=user.pk)
            _note("send_reset_link", user.pk, actor, client)

    @staticmethod
    def disable(user: User, *, actor: User | None, client: ClientInfo) -> None:
        """Disable an account and end its sessions; staff cannot disable themselves."""
        check_rank(actor, user)
        if actor and actor.pk == user.pk:
            raise PermissionRefused(_ONESELF)
        with locked_account(user.pk):
            User.objects.filter(pk=user.pk).update(is_active=False)
            KnownDevice.objects.forget(user.pk)
            revocation.end_all_sessions(user, reason=Reason.ADMIN, at=timezone.now())
            _note("disable", user.pk, actor, client)

    @staticmethod
    def enable(user: User, *, actor: User | None, client: ClientInfo) -> None:
        """Enable a disabled account."""
        check_rank(actor, user)
        with locked_account(user.pk):
            User.objects.filter(pk=user.pk).update(is_active=True)
            _note("enable", user.pk, actor, client)

    @staticmethod
    def revoke_token(*, jti: str, reason: str, actor: User, client: ClientInfo) -> TokenBlacklist:
        """Revoke a token by its identifier; a refresh token's session ends."""
        now = timezone.now()
        with transaction.atomic():
            session = (
                UserSession.objects.select_related("user").filter(refresh_token_jti=jti).first()
            )
            if session:
                check_rank(actor, session.user)
                UserSession.objects.filter(pk=session.pk).end(reason=reason, at=now)
            # An access token's identifier does not name its user. No token lives longer than this.
            longest: dt.timedelta = settings.SESSION_ABSOLUTE_LIFETIME
            owner = session.user_id if session else None
            TokenBlacklist.blacklist_token(
                jti=jti, expires_at=now + longest, user_id=owner, reason=reason
            )
            record(
                Event.TOKEN_REVOKED,
                user_id=owner,
                client=client,
                risk=Risk.HIGH,
                actor=_name(actor),
                reason=reason,
            )
        return TokenBlacklist.objects.get(jti=jti)

    @staticmethod
    def send_again(mail: OutgoingEmail, *, actor: User, client: ClientInfo) -> bool:
        """Queue a failed mail again; False if it has not failed.

        Raises PermissionRefused if it would not be sent.
        """
        if mail.user:
            _check_open(mail.user)
        with transaction.atomic():
            revived = EmailService.send_again(mail.pk)
            if revived:
                _note("send_again", mail.user_id, actor, client, mail=str(mail.pk))
        return revived

    @staticmethod
    def run_again(task: FailedTask, *, actor: User, client: ClientInfo) -> bool:
        """Run a failed task again; False if that has been done."""
        with transaction.atomic():
            started = run_again(task.pk)
            if started:
                _note("run_again", None, actor, client, task=str(task.pk))
        return started

    @staticmethod
    def note_group_change(group: str, *, actor: User | None, client: ClientInfo) -> None:
        """Audit a change of a group's permissions."""
        _note("change_group", None, actor, client, group=group)

    @staticmethod
    def note_change(
        user_id: uuid.UUID, *, fields: Iterable[str], actor: User | None, client: ClientInfo
    ) -> None:
        """Audit which fields of an account were changed.

        A change of `is_staff` ends the account's sessions of the admin: `end_every_session` does
        not see those of former staff, who may become staff again.
        """
        changed = sorted(fields)
        if "is_staff" in changed:
            User.objects.filter(pk=user_id).end_admin_sessions()
        _note("change", user_id, actor, client, fields=changed)


def _name(actor: User | None) -> str:
    """Return the actor's id; commands have no actor."""
    return str(actor.pk) if actor else "command line"


def _check_open(target: User) -> None:
    if not target.is_active:
        raise PermissionRefused(_CLOSED)


def _note(
    action: str, target: uuid.UUID | None, actor: User | None, client: ClientInfo, **facts: Any
) -> None:
    record_action(action, user_id=target, client=client, actor=_name(actor), **facts)
