"""Redeeming one-time tokens: looked up, then spent under the lock of their owner's account."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any, NoReturn

from django.db import IntegrityError

from authentication.exceptions import LinkInvalid, Problem
from authentication.models import User, UserSession
from authentication.models.one_time_token import OneTimeTokenQuerySet
from authentication.utils.client import ClientInfo

from .acting import acting, locked_account
from .attempt_limit import UNLIMITED, AttemptLimit, count_attempt
from .audit import Risk, record


class Redemption:
    """One attempt to redeem a token of a set, with the event and the answer if it fails."""

    def __init__(
        self,
        tokens: OneTimeTokenQuerySet,
        token: str,
        *,
        failure: str,
        client: ClientInfo,
        at: dt.datetime,
        problem: type[Problem] = LinkInvalid,
        limit: AttemptLimit = UNLIMITED,
    ) -> None:
        self._tokens, self._token, self._at, self._limit = tokens, token, at, limit
        self._failure, self._client, self._problem = failure, client, problem

    def look_up(self) -> Any:
        """Return the token's row with its user, without spending it.

        The attempt is counted for a device that the account knows, else for the address. Raises
        RateLimited, and the problem, audited, if the token is unknown, used, void or expired, if
        its account is closed or has changed.
        """
        row = self._tokens.usable(self._token, at=self._at).select_related("user").first()
        count_attempt(self._limit, self._client, row.user_id if row else None)
        if row is None or not row.user.is_active or not row.is_bound():
            self.refuse()
        return row

    @contextlib.contextmanager
    def spend(self, row: Any = None, *, session: UserSession | None = None) -> Iterator[Any]:
        """Spend the token and give its row to the block, in a transaction that locks the account.

        `row` is what `look_up` returned, if it was called. A `session` that presents the token is
        checked again under the lock, and needs a recent proof (`acting`).

        Raises the problem, audited, as `look_up` does, or if the block raises it or stores a value
        that is taken. The token is not spent then.
        """
        row = row or self.look_up()
        lock = acting(session, recent_proof=True) if session else locked_account(row.user_id)
        try:
            with lock as user:
                row.user = user
                if not (user.is_active and row.is_bound()):
                    raise self._problem
                if not self._tokens.spend(self._token, at=self._at):
                    raise self._problem
                yield row
        except (IntegrityError, User.DoesNotExist, self._problem):
            self.refuse()

    def refuse(self) -> NoReturn:
        """Audit the failure, as one of the token's owner if it has one, and raise the problem."""
        record(
            self._failure,
            user_id=self._tokens.owner_of(self._token),
            client=self._client,
            risk=Risk.MEDIUM,
            success=False,
        )
        raise self._problem from None
