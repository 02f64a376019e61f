"""Sessions in the database: the transitions that requests race for, one statement each."""

import datetime as dt
import uuid
from typing import Any, Self

from django.db.models import F

from .blacklist import TokenBlacklist
from .login_attempts import LoginAttemptsQuerySet, lock_end
from .second_factor import TRIES_AN_HOUR, TRY_WINDOW


class UserSessionQuerySet(LoginAttemptsQuerySet):
    """Sessions, and the transitions that requests race for, one statement each."""

    @staticmethod
    def threshold() -> int:
        """Return how many wrong proofs lock a session: half the codes of an account, at most."""
        return min(LoginAttemptsQuerySet.threshold(), TRIES_AN_HOUR // 2)

    @staticmethod
    def lock_end(at: dt.datetime) -> dt.datetime:
        """Return when a lock ends: in an hour, so that one session cannot spend all codes."""
        return max(lock_end(at), at + TRY_WINDOW)

    def live(self, *, at: dt.datetime) -> Self:
        """Return the sessions that are neither ended nor expired."""
        return self.filter(is_active=True, expires_at__gt=at)

    def since_password(self) -> Self:
        """Return the sessions whose tokens are no older than their user's password."""
        return self.filter(last_rotation_at__gte=F("user__password_changed_at"))

    def swap_jti(self, session: Any, *, new: str, at: dt.datetime, client_digest: str = "") -> bool:
        """Replace the session's refresh token; False if another request was faster.

        `client_digest` is that of the client who refreshes (`ClientInfo.digest`). The filter uses
        columns of this table alone, so that PostgreSQL checks it again after waiting for the row.
        """
        mine = self.filter(
            pk=session.pk, refresh_token_jti=session.refresh_token_jti, is_active=True
        )
        return bool(
            mine.update(
                previous_refresh_token_jti=F("refresh_token_jti"),
                refresh_token_jti=new,
                successor_seen=False,
                last_rotation_at=at,
                last_activity_at=session.activity(at=at),
                expires_at=session.next_expiry(at=at),
                last_client_digest=client_digest,
            )
        )

    def touch(self, session: Any, *, seen: bool, at: dt.datetime) -> None:
        """Store the time of the activity, and whether the newest tokens have been used."""
        same = self.filter(pk=session.pk, refresh_token_jti=session.refresh_token_jti)
        same.update(last_activity_at=session.activity(at=at), successor_seen=seen)

    def reauthenticate(
        self,
        pk: uuid.UUID,
        *,
        by_factor: bool = False,
        by_password: bool = False,
        at: dt.datetime,
    ) -> bool:
        """Store the time of a proof of identity; False if the session has ended.

        Wrong proofs before it are forgotten. A second factor verifies the session for the rest of
        its life.
        """
        level: dict[str, Any] = {"is_verified": True} if by_factor else {}
        if by_password:
            level["password_proven_at"] = at
        return bool(
            self.filter(pk=pk, is_active=True).update(
                reauthenticated_at=at, failed_login_attempts=0, locked_until=None, **level
            )
        )

    def end(self, *, reason: str, at: dt.datetime) -> int:
        """End the live sessions of the set, revoke their refresh tokens, return how many ended.

        Call it in a transaction: it locks the rows, so that no rotation comes between reading and
        revoking.
        """
        # Ordered, so that two callers who end the same sessions do not deadlock.
        running = list(self.filter(is_active=True).order_by("pk").select_for_update())
        if not running:
            return 0
        tokens = [
            TokenBlacklist(
                jti=session.refresh_token_jti,
                user_id=session.user_id,
                expires_at=session.expires_at,
                reason=reason,
            )
            for session in running
        ]
        TokenBlacklist.objects.bulk_create(tokens, ignore_conflicts=True)
        mine = self.model.objects.filter(pk__in=[session.pk for session in running], is_active=True)
        return int(mine.update(is_active=False, ended_at=at, end_reason=reason))

    def expired(self, *, at: dt.datetime) -> Self:
        """Return the sessions that have expired and were not ended."""
        return self.filter(is_active=True, expires_at__lte=at)

    def expire(self, *, at: dt.datetime) -> int:
        """End the expired sessions of the set, and return how many.

        Their refresh tokens have expired with them and need no revoking.
        """
        reason = TokenBlacklist.Reason.EXPIRED
        return self.expired(at=at).update(is_active=False, ended_at=at, end_reason=reason)
