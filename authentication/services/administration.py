"""What staff may do to accounts. Each action is audited with its actor and its target."""

import uuid
from collections.abc import Callable, Iterable

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import NotFound, PermissionRefused
from authentication.models import (
    KnownDevice,
    SecondFactor,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services import revocation
from authentication.services.accounts import correct_address_of
from authentication.services.acting import locked_account
from authentication.services.administered_work import (
    WorkAdministration,
    about,
    check_open,
    name_of,
    note,
)
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.operators import Operator, named
from authentication.services.ranks import check_not_last_owner, check_rank
from authentication.utils.client import ClientInfo
from authentication.utils.identifiers import canonical_identifier

Reason = TokenBlacklist.Reason
_PROVEN = _("This address is verified already.")
_STAFF = _("This is an account of staff. A superuser has to correct its address.")
_DELETED = _("This account is being deleted.")
_ONESELF = _("This is your own account. Another member of staff has to disable it.")


class AdministrationService(WorkAdministration):
    """What staff may do to accounts. Raises PermissionRefused if the target outranks the actor."""

    @staticmethod
    def unlock(
        user: User,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
        reason: str = "",
    ) -> None:
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
                actor=name_of(actor),
                **about(operator, reason),
            )

    @staticmethod
    def end_sessions(
        user: User,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
        reason: str = "",
    ) -> int:
        """End every session of a user, void open links and make every device unknown.

        Returns how many sessions ended.
        """
        check_rank(actor, user)
        now = timezone.now()
        with locked_account(user.pk):
            revocation.void_links(user, at=now)
            KnownDevice.objects.forget(user.pk)
            count = revocation.end_all_sessions(user, reason=Reason.ADMIN, at=now)
            note("end_sessions", user.pk, actor, client, count=count, **about(operator, reason))
        return count

    @staticmethod
    def end_session(
        session: UserSession,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
        reason: str = "",
    ) -> None:
        """End one session."""
        check_rank(actor, session.user)
        with locked_account(session.user_id):
            UserSession.objects.filter(pk=session.pk).end(reason=Reason.ADMIN, at=timezone.now())
            facts = {"session": str(session.pk), **about(operator, reason)}
            note("end_session", session.user_id, actor, client, **facts)

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
        note("end_every_session", None, None, client, count=total, **named(operator))
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
    def find_session(user: User, pk: uuid.UUID) -> UserSession:
        """Return a live session of a user; raises NotFound."""
        live = UserSession.objects.filter(user=user).live(at=timezone.now())
        session: UserSession | None = live.select_related("user").filter(pk=pk).first()
        if session is None:
            raise NotFound
        return session

    @staticmethod
    def resend_verification(
        user: User,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
        reason: str = "",
    ) -> None:
        """Mail a user the link that proves their address."""
        check_rank(actor, user)
        check_open(user)
        if user.email_verified:
            raise PermissionRefused(_PROVEN)
        with locked_account(user.pk):
            EmailService.check_limit(Kind.VERIFICATION, user_id=user.pk)
            EmailService.queue(Kind.VERIFICATION, user_id=user.pk)
            note("resend_verification", user.pk, actor, client, **about(operator, reason))

    @staticmethod
    def send_reset_link(
        user: User,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
        reason: str = "",
    ) -> None:
        """Mail a user the link to choose a new password; staff never choose one."""
        check_rank(actor, user)
        check_open(user)
        with locked_account(user.pk):
            EmailService.check_limit(Kind.PASSWORD_RESET, user_id=user.pk)
            EmailService.queue(Kind.PASSWORD_RESET, user_id=user.pk)
            note("send_reset_link", user.pk, actor, client, **about(operator, reason))

    @staticmethod
    def disable(
        user: User,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
        reason: str = "",
    ) -> None:
        """Disable an account and end its sessions; staff cannot disable themselves."""
        check_rank(actor, user)
        if actor and actor.pk == user.pk:
            raise PermissionRefused(_ONESELF)
        with locked_account(user.pk):
            check_not_last_owner(user)
            User.objects.filter(pk=user.pk).update(is_active=False)
            KnownDevice.objects.forget(user.pk)
            revocation.end_all_sessions(user, reason=Reason.ADMIN, at=timezone.now())
            note("disable", user.pk, actor, client, **about(operator, reason))

    @staticmethod
    def enable(
        user: User,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
        reason: str = "",
    ) -> None:
        """Enable a disabled account; one that is being deleted stays closed."""
        check_rank(actor, user)
        with locked_account(user.pk) as current:
            if current.erasure_key:
                raise PermissionRefused(_DELETED)
            User.objects.filter(pk=user.pk).update(is_active=True)
            note("enable", user.pk, actor, client, **about(operator, reason))

    @staticmethod
    def correct_address(
        user: User,
        new_email: str,
        *,
        actor: User | None,
        client: ClientInfo,
        operator: Operator | None = None,
        reason: str = "",
    ) -> None:
        """Give an account that has proven no address another one, and mail the link there.

        Raises PermissionRefused, with the reason for staff, if that is not possible, too.
        """
        check_rank(actor, user)
        # Who reads the new address gets the account, and what it may do.
        if user.is_staff and actor and not actor.is_superuser:
            raise PermissionRefused(_STAFF)
        check_open(user)
        facts = {"actor": name_of(actor), **about(operator, reason)}
        correct_address_of(user, new_email, client=client, **facts)

    @staticmethod
    def note_group_change(group: str, *, actor: User | None, client: ClientInfo) -> None:
        """Audit a change of a group's permissions."""
        note("change_group", None, actor, client, group=group)

    @staticmethod
    def note_change(
        user_id: uuid.UUID, *, fields: Iterable[str], actor: User | None, client: ClientInfo
    ) -> None:
        """Audit which fields of an account were changed."""
        note("change", user_id, actor, client, fields=sorted(fields))
