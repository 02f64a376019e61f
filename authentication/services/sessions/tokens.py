"""Access and refresh tokens: issuing, checking, rotating."""

import contextlib
import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authentication.exceptions import SessionOver, TokenInvalid
from authentication.models import AuditLog, TokenBlacklist, UserSession, rotate
from authentication.services.audit import Event, Risk, count, event_of, record
from authentication.services.mail import EmailService
from authentication.services.mail import Kind as Mail
from authentication.utils.client import ClientInfo
from authentication.utils.clock import LEEWAY, not_before
from authentication.utils.crypto import new_jti
from authentication.utils.tokens import (
    AccessToken,
    Claims,
    InvalidToken,
    Kind,
    RefreshToken,
    sign_token,
)

Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True, slots=True)
class TokenPair:
    """The two tokens of a session; `expires_in` is the access token's, in seconds."""

    access: str
    refresh: str
    expires_in: int


class TokenService:
    """Access and refresh tokens: issuing, checking, rotating."""

    @staticmethod
    def issue(session: UserSession, *, at: dt.datetime) -> TokenPair:
        """Return the newest tokens of a session; the refresh token is the same at each call."""
        lifetime: dt.timedelta = settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]
        # A token is no older than its session, whichever replica issues it.
        at = not_before(at, session.last_rotation_at)
        names = {"session_id": session.pk, "user_id": session.user_id}
        # An access token does not outlive its session.
        ends_at = min(at + lifetime, session.expires_at)
        return TokenPair(
            access=sign_token(
                AccessToken, jti=session.access_jti, issued_at=at, expires_at=ends_at, **names
            ),
            refresh=sign_token(
                RefreshToken,
                jti=session.refresh_token_jti,
                issued_at=session.last_rotation_at,
                expires_at=session.expires_at,
                **names,
            ),
            expires_in=int((ends_at - at).total_seconds()),
        )

    @staticmethod
    def authenticate(*, access: str, with_profile: bool = False) -> UserSession:
        """Return the live session of an access token, with its user (and profile), in one query.

        Raises TokenInvalid if the token is malformed, expired or revoked, or its session is over.
        """
        claims, now = _claims_of(AccessToken, access), timezone.now()
        session = _session_of(claims, at=now, with_profile=with_profile)
        if session.token_revoked:
            raise TokenInvalid
        seen = session.successor_seen or claims.jti == session.access_jti
        if seen != session.successor_seen or session.activity(at=now) == now:
            UserSession.objects.touch(session, seen=seen, at=now)
        return session

    @staticmethod
    def rotate(*, refresh: str, client: ClientInfo) -> TokenPair:
        """Swap a refresh token for its successor.

        A refresh token works once. After a second use two parties hold it, and we cannot tell the
        owner from the thief, so the session ends for both, unless the client may not have received
        the answer (`UserSession.is_in_grace`).

        Raises TokenInvalid if the token is unknown or expired, SessionOver if its session is.
        """
        claims, now = _refresh_claims(refresh), timezone.now()
        session = _session_of(claims, at=now)
        if claims.jti == session.refresh_token_jti:
            if session.token_revoked or claims.expired:
                raise TokenInvalid
            if _swap(session, client=client, at=now):
                return TokenService.issue(session, at=session.last_rotation_at)
            # Another request won the swap: decide by what it wrote.
            session = _session_of(claims, at=now)
        if session.is_in_grace(claims.jti, at=now):
            return TokenService.issue(session, at=now)
        if claims.expired:
            raise TokenInvalid
        _end_for_reuse(session, client=client, at=now)
        raise SessionOver

    @staticmethod
    def rotate_one_of(tokens: Sequence[str], *, client: ClientInfo) -> TokenPair:
        """Rotate the refresh token of a live session among several; see `rotate`.

        The others are not used then: a stale cookie beside a live one is no reuse. Raises
        SessionOver only if the sessions of all are over.
        """
        return _use_one(tokens, lambda it: TokenService.rotate(refresh=it, client=client))

    @staticmethod
    def session_of_one(tokens: Sequence[str]) -> UserSession:
        """Return the live session of one of several refresh tokens; change nothing.

        A token may be an older one of its session. Raises TokenInvalid if no token has a live
        session, SessionOver if the sessions of all are over.
        """
        return _use_one(tokens, lambda it: _session_of(_refresh_claims(it), at=timezone.now()))

    @staticmethod
    def live_sessions_of(tokens: Iterable[str]) -> list[UserSession]:
        """Return the sessions that refresh tokens could be rotated in now; change nothing."""
        found = (_usable(token) for token in tokens)
        return list({it.session.pk: it.session for it in found if it}.values())

    @staticmethod
    def is_other_live(tokens: Iterable[str], *, than: uuid.UUID) -> bool:
        """Return whether a refresh token belongs to another live session than this one."""
        for token in tokens:
            with contextlib.suppress(TokenInvalid):
                claims = _refresh_claims(token)
                if claims.session_id != than and _session_of(claims, at=timezone.now()):
                    return True
        return False


@dataclasses.dataclass(frozen=True, slots=True)
class _Usable:
    """A live session and whether the token is its newest one, not one in its grace."""

    session: UserSession
    is_newest: bool


def _usable(token: str) -> _Usable | None:
    now = timezone.now()
    try:
        claims = _refresh_claims(token)
        session = _session_of(claims, at=now)
    except TokenInvalid:
        return None
    if claims.jti == session.refresh_token_jti:
        return None if session.token_revoked or claims.expired else _Usable(session, is_newest=True)
    return _Usable(session, is_newest=False) if session.is_in_grace(claims.jti, at=now) else None


def _use_one(tokens: Sequence[str], use: Callable[[str], Result]) -> Result:
    """Use the token of a live session or, if none lives, the first that can be used."""
    if len(tokens) > 1:
        usable = {token: it for token in tokens if (it := _usable(token))}
        # The newest token of a session before one that would get the same successor again.
        tokens = sorted(usable, key=lambda it: not usable[it].is_newest)[:1] or tokens
    refusals: list[TokenInvalid] = []
    for token in tokens or [""]:
        try:
            return use(token)
        except TokenInvalid as refusal:
            refusals.append(refusal)
    raise next((it for it in refusals if not isinstance(it, SessionOver)), refusals[0])


def _refresh_claims(token: str) -> Claims:
    return _claims_of(RefreshToken, token)


def _claims_of(kind: Kind, token: str) -> Claims:
    try:
        # The session decides when a refresh token expires: a later rotation may have extended it.
        return Claims.read(kind, token, expired=kind is RefreshToken)
    except InvalidToken:
        raise TokenInvalid from None


def _session_of(claims: Claims, *, at: dt.datetime, with_profile: bool = False) -> UserSession:
    ids = {"session_id": claims.session_id, "user_id": claims.user_id}
    session: UserSession | None = UserSession.of_token(
        jti=claims.jti, **ids, with_profile=with_profile
    )
    if session is None or not session.is_live(at=at) or session.predates_password():
        raise SessionOver
    if claims.issued_at < session.created_at.replace(microsecond=0) - LEEWAY:
        # Older than its own session: we do not issue such a token.
        raise TokenInvalid
    return session


def _swap(session: UserSession, *, client: ClientInfo, at: dt.datetime) -> bool:
    new, digest = new_jti(), client.digest()
    at = not_before(at, session.user.password_changed_at, session.last_rotation_at)
    event = _event_of_refresh(session, client, digest, at=at)
    if not rotate(session, event, new=new, at=at, client_digest=digest):
        return False
    count(Event.TOKEN_REFRESH)
    session.refresh_token_jti, session.last_rotation_at, session.expires_at = (
        new,
        at,
        session.next_expiry(at=at),
    )
    return True


def _event_of_refresh(
    session: UserSession, client: ClientInfo, digest: str, *, at: dt.datetime
) -> AuditLog | None:
    """Return the event of the first refresh of a session's day, or from a new network or agent.

    A row for each would be 200 GB a year of 10,000 people, and no decision reads it.
    """
    if digest == session.last_client_digest and at.date() <= session.last_rotation_at.date():
        return None
    return event_of(
        Event.TOKEN_REFRESH, user_id=session.user_id, client=client, session=str(session.pk)
    )


def _end_for_reuse(session: UserSession, *, client: ClientInfo, at: dt.datetime) -> None:
    # A transaction of its own, committed before the exception, which would roll it back.
    with transaction.atomic():
        if UserSession.objects.filter(pk=session.pk).end(reason=TokenBlacklist.Reason.REUSE, at=at):
            record(
                Event.TOKEN_REUSE_DETECTED,
                user_id=session.user_id,
                client=client,
                risk=Risk.CRITICAL,
                success=False,
                description="A refresh token was used a second time; its session was ended.",
                session=str(session.pk),
            )
            EmailService.queue(Mail.TOKEN_REUSE, user_id=session.user_id, session=str(session.pk))
