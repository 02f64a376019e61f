"""What staff may do to accounts. Each action is audited with its actor and its target."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from authentication.exceptions import NotFound, PermissionRefused
from authentication.models import (
    AuditLog,
    KnownDevice,
    SecondFactor,
    TokenBlacklist,
    User,
    UserSession,
)
from authentication.services import revocation
from authentication.services.accounts import correct_address_of
from authentication.services.acted_by import ActedBy, administered
from authentication.services.administered_work import WorkAdministration, check_open
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.ranks import check_below, check_not_last_owner
from authentication.utils.identifiers import canonical_identifier

Reason = TokenBlacklist.Reason
_PROVEN = _("This address is verified already.")
_STAFF = _("This is an account of staff. A superuser has to correct its address.")
_DELETED = _("This account is being deleted.")
_ONESELF = _("This is your own account. Another member of staff has to do this.")
_UNLOCKED_ENOUGH = _("This account was unlocked three times within the hour. Please try later.")
_LEAVING = _("This account is being deleted, and the person must be able to stop that.")
_HOUR = dt.timedelta(hours=1)
_MOST_UNLOCKS = 3


class AdministrationService(WorkAdministration):
    """What staff may do to accounts.

    Raises PermissionRefused if the target has a right that the actor lacks (services/ranks.py).
    """

    @staticmethod
    def unlock(
        user: User,
        *,
        by: ActedBy,
    ) -> None:
        """Lift the locks of an account and of its devices.

        Raises PermissionRefused for one's own account, and after three times within an hour: codes
        could be guessed without end.
        """
        if by.actor and by.actor.pk == user.pk:
            raise PermissionRefused(_ONESELF)
        with administered(user.pk, by):
            _check_unlocks(user, by)
            User.objects.filter(pk=user.pk).unlock(at=timezone.now())
            KnownDevice.objects.filter(user=user).clear_attempts()
            SecondFactor.objects.forget_tries(user.pk)
            record(
                Event.ACCOUNT_UNLOCKED,
                user_id=user.pk,
                client=by.client,
                risk=Risk.MEDIUM,
                **by.facts(),
            )

    @staticmethod
    def end_sessions(
        user: User,
        *,
        by: ActedBy,
    ) -> int:
        """End every session of a user, void open links and make every device unknown.

        Returns how many sessions ended.
        """
        now = timezone.now()
        with administered(user.pk, by):
            revocation.void_links(user, at=now)
            KnownDevice.objects.forget(user.pk)
            count = revocation.end_all_sessions(user, reason=Reason.ADMIN, at=now)
            by.note("end_sessions", user.pk, count=count)
        return count

    @staticmethod
    def end_session(
        session: UserSession,
        *,
        by: ActedBy,
    ) -> None:
        """End one session."""
        with administered(session.user_id, by):
            UserSession.objects.filter(pk=session.pk).end(reason=Reason.ADMIN, at=timezone.now())
            by.note("end_session", session.user_id, session=str(session.pk))

    @staticmethod
    def rows_to_revoke() -> int:
        """Return how many rows `end_every_session` would change."""
        return revocation.count_of_everybody(at=timezone.now())

    @staticmethod
    def end_every_session(*, by: ActedBy, on_batch: Callable[[int], None]) -> int:
        """Do for every user what `end_sessions` does for one; return how many sessions ended."""
        total = revocation.revoke_everybody(reason=Reason.ADMIN, on_batch=on_batch)
        by.note("end_every_session", None, count=total)
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
        by: ActedBy,
    ) -> None:
        """Mail a user the link that proves their address."""
        with administered(user.pk, by) as current:
            check_open(current)
            if current.email_verified:
                raise PermissionRefused(_PROVEN)
            EmailService.check_limit(Kind.VERIFICATION, user_id=user.pk)
            EmailService.queue(Kind.VERIFICATION, user_id=user.pk)
            by.note("resend_verification", user.pk)

    @staticmethod
    def send_reset_link(
        user: User,
        *,
        by: ActedBy,
    ) -> None:
        """Mail a user the link to choose a new password; staff never choose one."""
        with administered(user.pk, by) as current:
            check_open(current)
            EmailService.check_limit(Kind.PASSWORD_RESET, user_id=user.pk)
            EmailService.queue(Kind.PASSWORD_RESET, user_id=user.pk)
            by.note("send_reset_link", user.pk)

    @staticmethod
    def disable(
        user: User,
        *,
        by: ActedBy,
    ) -> None:
        """Disable an account and end its sessions; staff cannot disable themselves.

        One that is being deleted is signed out already, and signing in again stops the deletion.
        """
        if by.actor and by.actor.pk == user.pk:
            raise PermissionRefused(_ONESELF)
        with administered(user.pk, by) as current:
            if current.deletion_requested_at:
                raise PermissionRefused(_LEAVING)
            check_not_last_owner(user)
            User.objects.filter(pk=user.pk).update(is_active=False)
            KnownDevice.objects.forget(user.pk)
            revocation.end_all_sessions(user, reason=Reason.ADMIN, at=timezone.now())
            by.note("disable", user.pk)

    @staticmethod
    def enable(
        user: User,
        *,
        by: ActedBy,
    ) -> None:
        """Enable a disabled account; one that is being deleted stays closed.

        Accounts of staff are enabled by staff with more rights: an owner may have disabled them.
        """
        with administered(user.pk, by) as current:
            check_below(by.actor, current)
            if current.erasure_key:
                raise PermissionRefused(_DELETED)
            User.objects.filter(pk=user.pk).update(is_active=True)
            by.note("enable", user.pk)

    @staticmethod
    def correct_address(
        user: User,
        new_email: str,
        *,
        by: ActedBy,
    ) -> None:
        """Give an account that has proven no address another one, and mail the link there.

        Raises PermissionRefused, with the reason for staff, if that is not possible, too.
        """
        with administered(user.pk, by) as current:
            # Who reads the new address gets the account, and what it may do.
            if current.is_staff and by.actor and not by.actor.is_superuser:
                raise PermissionRefused(_STAFF)
            check_open(current)
            correct_address_of(current, new_email, client=by.client, **by.facts())

    @staticmethod
    def note_group_change(group: str, *, by: ActedBy, **rights: list[str]) -> None:
        """Audit a change of a group: which permissions were `given` and `taken`."""
        changed = {name: them for name, them in rights.items() if them}
        by.note("change_group", None, risk=Risk.HIGH, group=group, **changed)

    @staticmethod
    def change_names(user_id: uuid.UUID, names: Mapping[str, str], *, by: ActedBy) -> None:
        """Write names of an account; the event says which, and not what they are."""
        if not names:
            return
        with administered(user_id, by):
            User.objects.filter(pk=user_id).update(**names)
            by.note("change", user_id, fields=sorted(names))


def _check_unlocks(user: User, by: ActedBy) -> None:
    """Raise PermissionRefused if staff unlocked an account often within the hour."""
    if by.actor is None:
        return
    since = timezone.now() - _HOUR
    unlocks = AuditLog.objects.filter(user=user, event_type=Event.ACCOUNT_UNLOCKED)
    by_staff = unlocks.filter(timestamp__gt=since, metadata__has_key="actor")
    if by_staff.exclude(metadata__actor="command line").count() >= _MOST_UNLOCKS:
        raise PermissionRefused(_UNLOCKED_ENOUGH)
