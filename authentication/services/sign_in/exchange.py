"""Trading the exchange token of a verified address for a session."""

import uuid
from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from authentication.exceptions import LinkInvalid
from authentication.models import TokenBlacklist, User, UserSession
from authentication.services.audit import Event, Risk, record
from authentication.utils.client import ClientInfo

from .admission import admit
from .exchange_tokens import (
    Holder,
    holder_of_exchange_token,
    new_exchange_token,
    remember_redeemed,
    session_redeemed,
    spend_exchange_token,
)
from .opening import Opening, SignedIn, open_session
from .second_factor_codes import challenge


class ExchangeTokenService:
    """Short-lived tokens that keep JWTs out of URLs and browser histories."""

    @staticmethod
    def create(*, user_id: uuid.UUID) -> str:
        """Return a token that opens one session for this user."""
        return new_exchange_token(User.objects.only("password_changed_at").get(pk=user_id))

    @staticmethod
    def redeem(*, token: str, client: ClientInfo, documents: Collection[str] = ()) -> SignedIn:
        """Open a session for the holder of a token; a replayed token ends the session it opened.

        Raises LinkInvalid if the token is unknown, used, expired or older than the password,
        MfaRequired for an account with a second factor, ConsentRequired, which does not spend the
        token, ServiceUnavailable while the cache is down.
        """
        holder = holder_of_exchange_token(token)
        user = _user_of(holder) if holder else None
        if user:
            admit(user, documents=documents, restore=False, client=client)
        # The token is spent even if no session comes of it.
        if spend_exchange_token(token) != holder or user is None:
            _end_replayed(token, client=client)
            record(
                Event.TOKEN_EXCHANGE_FAILED,
                user_id=None,
                client=client,
                risk=Risk.MEDIUM,
                success=False,
            )
            raise LinkInvalid
        if user.second_factor_at:
            raise challenge(user, client=client, by_password=False)
        now, opening = timezone.now(), Opening(Event.TOKEN_EXCHANGE)
        with transaction.atomic():
            signed_in = open_session(user, opening, client=client, at=now)
        remember_redeemed(token, signed_in.session.pk)
        return signed_in


def _user_of(holder: Holder) -> User | None:
    same = User.objects.filter(pk=holder.user_id, password_changed_at=holder.password_changed_at)
    user: User | None = same.filter(is_active=True).first()
    return user


def _end_replayed(token: str, *, client: ClientInfo) -> None:
    """End the session of a replayed token: two parties hold it (RFC 6749, section 4.1.2)."""
    session_id, now = session_redeemed(token), timezone.now()
    if session_id is None:
        return
    with transaction.atomic():
        if UserSession.objects.filter(pk=session_id).end(
            reason=TokenBlacklist.Reason.REUSE, at=now
        ):
            record(
                Event.EXCHANGE_REPLAYED,
                user_id=UserSession.objects.values_list("user_id", flat=True).get(pk=session_id),
                client=client,
                risk=Risk.CRITICAL,
                success=False,
                session=str(session_id),
            )
