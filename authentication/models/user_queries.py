"""Accounts: found by their canonical names, and changed in one statement each."""

import datetime as dt
import uuid
from typing import Any, Self

from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from authentication.utils.crypto import new_jti

from .audit_log import AuditLog
from .login_attempts import LockReason, lock_end
from .name_search import NameSearchQuerySet

_HASHING = dt.timedelta(seconds=30)
_UNREACHABLE = Q(email_bounced_at__isnull=False) | Q(email_complained_at__isnull=False)


class UserQuerySet(NameSearchQuerySet):
    """Accounts, found by their canonical names and changed one row at a time."""

    def identified_by(self, canonical: str) -> Self:
        """Return the account of a canonical identifier: an address if it has an @, or a name."""
        field = "email_canonical" if "@" in canonical else "username_canonical"
        return self.filter(**{field: canonical})

    def lock_row(self, pk: uuid.UUID) -> Any:
        """Return an account and lock its row until the transaction ends (services/acting.py).

        Raises User.DoesNotExist.
        """
        # NO KEY: inserts of rows that reference the account need not wait.
        return self.select_for_update(no_key=True).get(pk=pk)

    def owners(self) -> Self:
        """Return the superusers who may enter the admin and do not leave."""
        return self.filter(
            is_superuser=True, is_staff=True, is_active=True, deletion_requested_at=None
        )

    def locks_to_report(self, *, at: dt.datetime) -> Self:
        """Return the accounts that wrong passwords have locked and whose lock is not reported.

        Not those of the last half minute: a password that is being hashed may be the right one.
        """
        since_locked = OuterRef("locked_until") - Value(lock_end(at) - at)
        reports = AuditLog.objects.filter(
            user=OuterRef("pk"),
            event_type=AuditLog.Event.ACCOUNT_LOCKED,
            timestamp__gte=since_locked,
        ).exclude(metadata__has_any_keys=["session", "known_device"])
        return self.filter(
            ~Exists(reports),
            lock_reason=LockReason.GUESSED,
            locked_until__gt=at,
            locked_until__lte=lock_end(at - _HASHING),
        )

    def unlock(self, *, at: dt.datetime) -> None:
        """Lift any lock; failures by the names of the account do not count any more either."""
        self.clear_attempts(unlocked_at=at)

    def unchanged(
        self,
        pk: uuid.UUID,
        *,
        password_changed_at: dt.datetime,
        second_factor_at: dt.datetime | None,
        deletion_requested_at: dt.datetime | None,
    ) -> Self:
        """Return the active account if its password, second factor and deletion are these."""
        # The password by its time and not its hash: a concurrent sign-in may have rehashed it.
        return self.filter(
            pk=pk,
            is_active=True,
            password_changed_at=password_changed_at,
            second_factor_at=second_factor_at,
            deletion_requested_at=deletion_requested_at,
        )

    def sign_in(self, user: Any, *, at: dt.datetime) -> bool:
        """Store the time of a sign-in; False if the account changed since `user` was read.

        The row stays locked until the transaction ends.
        """
        same = self.unchanged(
            user.pk,
            password_changed_at=user.password_changed_at,
            second_factor_at=user.second_factor_at,
            deletion_requested_at=user.deletion_requested_at,
        )
        return bool(same.update(last_login=at))

    def change_password(self, user: Any, *, since: dt.datetime) -> bool:
        """Store the new password of `user`; False if the one of `since` was replaced already."""
        same = self.filter(pk=user.pk, password_changed_at=since)
        return bool(
            same.update(
                password=user.password,
                password_changed_at=user.password_changed_at,
                password_breached_at=None,
                failed_login_attempts=0,
                locked_until=None,
            )
        )

    def set_second_factor(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Note since when signing in takes a second factor; False if it replaces another one."""
        first = bool(self.filter(pk=pk, second_factor_at=None).update(second_factor_at=at))
        return first or not self.filter(pk=pk).update(second_factor_at=at)

    def clear_second_factor(self, pk: uuid.UUID) -> bool:
        """Note that signing in takes a password alone; False if it did already."""
        return bool(
            self.filter(pk=pk, second_factor_at__isnull=False).update(second_factor_at=None)
        )

    def end_admin_sessions(self) -> None:
        """End the admin's sessions of the accounts of the set, at their next request."""
        self.update(admin_session_salt=new_jti())

    def flag_breached(self, pk: uuid.UUID, *, changed_at: dt.datetime, at: dt.datetime) -> bool:
        """Mark a password as known from a breach, if it is still the one that was checked."""
        same = self.filter(pk=pk, password_changed_at=changed_at, password_breached_at=None)
        return bool(same.update(password_breached_at=at))

    def verify_email(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Mark the address as proven, and as taking mail; False if it was already.

        At the first proof notices are on: a stranger may have turned them off before.
        """
        unproven = self.filter(pk=pk).filter(Q(email_verified=False) | _UNREACHABLE)
        chosen = When(email_verified=True, then=F("notices_stopped_at"))
        proven = {"email_verified": True, "email_verified_at": at}
        proven["notices_stopped_at"] = Case(chosen, default=None)
        return bool(unproven.update(**proven, email_bounced_at=None, email_complained_at=None))

    def never_used(self) -> Self:
        """Return the accounts with an unproven address and without any sign-in."""
        return self.filter(email_verified=False, last_login=None)

    def contest(self, pk: uuid.UUID, *, at: dt.datetime) -> bool:
        """Mark an unproven account as registered again; False if it is proven or marked already."""
        unproven = self.filter(pk=pk, email_verified=False, contested_at=None)
        return bool(unproven.update(contested_at=at))

    def release_address(self, pk: uuid.UUID, *, to: str) -> bool:
        """Take the address from an account that was never used; False if that is no longer so."""
        released = {"email": to, "email_canonical": to, "contested_at": None}
        return bool(self.never_used().filter(pk=pk).update(**released))

    def mark_unreachable(self, pk: uuid.UUID, *, complained: bool, at: dt.datetime) -> bool:
        """Store a bounce or a complaint; False if stored already, or if verified after it."""
        field = "email_complained_at" if complained else "email_bounced_at"
        unproven_since = Q(email_verified_at=None) | Q(email_verified_at__lt=at)
        return bool(self.filter(unproven_since, pk=pk, **{field: None}).update(**{field: at}))

    def want_notices(self, pk: uuid.UUID, *, wanted: bool, at: dt.datetime) -> bool:
        """Remember whether a person wants notices; False if that is so already."""
        other = self.filter(pk=pk, notices_stopped_at__isnull=not wanted)
        return bool(other.update(notices_stopped_at=None if wanted else at))
