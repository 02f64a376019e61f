"""Opening a session for a user who has proven who they are."""

import dataclasses
import datetime as dt

from django.conf import settings

from authentication.exceptions import InvalidCredentials
from authentication.models import TokenBlacklist, User, UserSession
from authentication.services.audit import Event, Risk, record, record_each
from authentication.services.mail import EmailService, Kind
from authentication.services.sessions import TokenPair, TokenService
from authentication.utils.client import ClientInfo
from authentication.utils.clock import not_before
from authentication.utils.devices import device_of

from .known_devices import Device, remember


@dataclasses.dataclass(frozen=True, slots=True)
class Opening:
    """What a session is opened with: what was proven, and what the client asked for."""

    event: str
    device_name: str = ""
    remember_me: bool = False
    is_verified: bool = False
    """Whether a second factor was proven."""
    proven_at: dt.datetime | None = None
    """When a password or a second factor was given; None after a mailed link."""
    password_proven_at: dt.datetime | None = None
    """When the password was given; None after a mailed link."""
    restore: bool = False
    """Whether a pending deletion of the account is cancelled."""
    device: str = ""
    """The hash of the known device, if it was recognised already."""
    is_sign_in: bool = True
    """Whether the sessions of the client's refresh cookies end: the new one takes their place."""


@dataclasses.dataclass(frozen=True, slots=True)
class SignedIn:
    """A user with a new session. `is_first` says that they never had one before."""

    user: User
    session: UserSession
    tokens: TokenPair
    device_id: str
    """What the client keeps, to be known as a device of this account; a secret."""
    is_first: bool


def open_session(user: User, opening: Opening, *, client: ClientInfo, at: dt.datetime) -> SignedIn:
    """Open a session and return its tokens, in the caller's transaction.

    Raises InvalidCredentials if the password, the second factor or the account changed since `user`
    was read.
    """
    at = not_before(at, user.password_changed_at, user.created_at)
    # This locks the account's row, so that concurrent sign-ins count the sessions one by one.
    if not User.objects.sign_in(user, at=at):
        raise InvalidCredentials
    if user.deletion_requested_at:
        _cancel_deletion(user, opening, client=client)
    device = remember(user, client, digest=opening.device, at=at)
    if opening.is_sign_in:
        _replace_sessions(client, at=at)
    _evict_sessions(user, client=client, at=at)
    session = _create(user, opening, device, client=client, at=at)
    record(
        opening.event,
        user_id=user.pk,
        client=client,
        session=str(session.pk),
        device=session.device_name,
    )
    is_first = user.last_login is None
    if device.is_new and not is_first:
        EmailService.queue(Kind.NEW_DEVICE, user_id=user.pk, session=str(session.pk))
    return SignedIn(
        user=user,
        session=session,
        tokens=TokenService.issue(session, at=at),
        device_id=device.device_id,
        is_first=is_first,
    )


def _create(
    user: User, opening: Opening, device: Device, *, client: ClientInfo, at: dt.datetime
) -> UserSession:
    described = device_of(client.user_agent)
    session = UserSession(
        user=user,
        remember_me=opening.remember_me,
        is_verified=opening.is_verified,
        reauthenticated_at=opening.proven_at,
        password_proven_at=opening.password_proven_at,
        device_fingerprint=device.digest,
        device_name=opening.device_name or described.name,
        device_type=described.type,
        browser=described.browser,
        operating_system=described.operating_system,
        user_agent=client.user_agent,
        ip_address=client.ip_address,
        created_at=at,
        last_activity_at=at,
        last_rotation_at=at,
    )
    session.expires_at = session.next_expiry(at=at)
    session.save(force_insert=True)
    return session


def _cancel_deletion(user: User, opening: Opening, *, client: ClientInfo) -> None:
    # An erasure that has begun cannot be stopped.
    if not (opening.restore and User.objects.cancel_deletion(user.pk)):
        raise InvalidCredentials
    record(Event.ACCOUNT_RESTORED, user_id=user.pk, client=client, risk=Risk.MEDIUM)


def _replace_sessions(client: ClientInfo, *, at: dt.datetime) -> None:
    """End the live sessions of the client's refresh cookies, which the new cookie overwrites.

    One may be of another account, which is not locked here: an end needs no more than its row.
    """
    replaced = TokenService.live_sessions_of(client.refresh_cookies)
    if not replaced:
        return
    mine = UserSession.objects.filter(pk__in=[session.pk for session in replaced])
    mine.end(reason=TokenBlacklist.Reason.LOGOUT, at=at)
    for session in replaced:
        record(
            Event.LOGOUT,
            user_id=session.user_id,
            client=client,
            session=str(session.pk),
            replaced=True,
        )


def _evict_sessions(user: User, *, client: ClientInfo, at: dt.datetime) -> None:
    """Make room for one session under MAX_ACTIVE_SESSIONS, by ending those idle longest."""
    by_use = UserSession.objects.filter(user=user).live(at=at).order_by("-last_activity_at")
    evicted = list(by_use.values_list("pk", flat=True)[settings.MAX_ACTIVE_SESSIONS - 1 :])
    if not evicted:
        return
    UserSession.objects.filter(pk__in=evicted).end(reason=TokenBlacklist.Reason.EVICTED, at=at)
    facts = [{"session": str(pk)} for pk in evicted]
    record_each(Event.SESSION_EVICTED, facts, user_id=user.pk, client=client)
