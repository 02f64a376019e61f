"""Opening a session for a user who has proven who they are."""

import dataclasses
import datetime as dt

from django.conf import settings
from django.db.models import Model

from authentication.exceptions import InvalidCredentials
from authentication.models import (
    AuditLog,
    OutgoingEmail,
    TokenBlacklist,
    User,
    UserSession,
    insert_together,
    sign_in_at_once,
)
from authentication.services.audit import Event, Risk, count, event_of, record, record_each
from authentication.services.mail import EmailService, Kind
from authentication.services.sessions import TokenPair, TokenService
from authentication.utils.client import ClientInfo
from authentication.utils.clock import not_before
from authentication.utils.devices import device_of
from authentication.utils.languages import of_mail
from authentication.utils.places import place_of

from .known_devices import ClientDevice, known_or_new


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
    lifetime: dt.timedelta | None = None
    """How long the session lasts, if not as long as others."""


@dataclasses.dataclass(frozen=True, slots=True)
class SignedIn:
    """A user with a new session. `is_first` says that they never had one before."""

    user: User
    session: UserSession
    tokens: TokenPair
    device_id: str
    """What the client keeps, to be known as a device of this account; a secret."""
    is_first: bool


def open_at_once(
    user: User, opening: Opening, *, client: ClientInfo, at: dt.datetime
) -> SignedIn | None:
    """Open a session in a transaction of its own, and a round trip, if it ends no other session.

    Returns None if it might, or if the account changed or signed in since `user` was read: then
    open_session decides.
    """
    if user.deletion_requested_at or client.refresh_cookies:
        return None
    at = not_before(at, user.password_changed_at, user.created_at)
    entry = _entry(user, opening, client=client, at=at)
    return entry.announce() if sign_in_at_once(user, entry.rows(), at=at) else None


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
    entry = _entry(user, opening, client=client, at=at)
    if opening.is_sign_in:
        _replace_sessions(client, at=at)
    _evict_sessions(user, client=client, at=at)
    insert_together(*entry.rows())
    return entry.announce()


@dataclasses.dataclass(frozen=True, slots=True)
class _Entry:
    """The new rows of a sign-in, and what follows when they are stored."""

    session: UserSession
    event: AuditLog
    device: ClientDevice
    mail: OutgoingEmail | None

    def rows(self) -> list[Model]:
        """Return the rows to store."""
        rows = (self.session, self.event, self.device.new_row, self.mail)
        return [row for row in rows if row]

    def announce(self) -> SignedIn:
        """Count and mail the sign-in after the commit; return its tokens."""
        count(self.event.event_type)
        if self.mail:
            EmailService.send_stored(self.mail)
        user = self.session.user
        return SignedIn(
            user=user,
            session=self.session,
            tokens=TokenService.issue(self.session, at=self.session.created_at),
            device_id=self.device.device_id,
            is_first=user.last_login is None,
        )


def _entry(user: User, opening: Opening, *, client: ClientInfo, at: dt.datetime) -> _Entry:
    device = known_or_new(user, client, digest=opening.device, at=at)
    session = _new_session(user, opening, device, client=client, at=at)
    about = {"session": str(session.pk)}
    event = event_of(
        opening.event, user_id=user.pk, client=client, device=session.device_name, **about
    )
    mail = None
    if device.new_row and user.last_login:
        event.risk_level, event.metadata["new_device"] = Risk.MEDIUM, True
        # The session keeps no hints, so the mail could not find these words again.
        about["described"] = device_of(client.user_agent, client.hints).name
        mail = EmailService.prepare(Kind.NEW_DEVICE, user_id=user.pk, **about)
    return _Entry(session, event, device, mail)


def _new_session(
    user: User, opening: Opening, device: ClientDevice, *, client: ClientInfo, at: dt.datetime
) -> UserSession:
    described = device_of(client.user_agent, client.hints)
    place = place_of(client.ip_address, language=of_mail(user))
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
        city=place.city,
        country=place.country,
        created_at=at,
        last_activity_at=at,
        last_rotation_at=at,
    )
    session.expires_at = at + opening.lifetime if opening.lifetime else session.next_expiry(at=at)
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
