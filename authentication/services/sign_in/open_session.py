"""Building block: opening a session for a person who has proven who they are."""

import dataclasses
import datetime as dt

from django.conf import settings

from authentication.exceptions import InvalidCredentials
from authentication.models import TokenBlacklist, User, UserSession
from authentication.services.audit import Event, Risk, record
from authentication.services.mail import EmailService, Kind
from authentication.services.sessions import TokenPair, TokenService
from authentication.utils.client import ClientInfo
from authentication.utils.devices import device_of, fingerprint


@dataclasses.dataclass(frozen=True, slots=True)
class SignedIn:
    """A person with a new session; `first` tells that they never had one."""

    user: User
    session: UserSession
    tokens: TokenPair
    first: bool


def sign_in(
    user: User,
    *,
    client: ClientInfo,
    event: str,
    at: dt.datetime,
    device_name: str = "",
    remember_me: bool = False,
    is_verified: bool = False,
    proven_at: dt.datetime | None = None,
    restore: bool = False,
) -> SignedIn:
    """Open a session and return its tokens, in the caller's transaction.

    `proven_at` tells when the person gave a password or a second factor, which lets them do grave
    things for a while.

    Raises InvalidCredentials if the password, the second factor or the account changed since `user`
    was read.
    """
    # This write holds the person's row, so that sign-ins at the same time count the sessions one
    # after the other. The clock of whoever changed the password may be ahead of ours.
    at = max(at, user.password_changed_at)
    if not User.objects.sign_in(user, at=at):
        raise InvalidCredentials
    if user.deletion_requested_at:
        _take_back_deletion(user, restore=restore, client=client)
    device = fingerprint(client.user_agent, user_id=user.pk)
    history = UserSession.objects.filter(user=user).tally(fingerprint=device, at=at)
    _make_room(user, live=history.live, client=client, at=at)
    session = UserSession(
        user=user,
        remember_me=remember_me,
        is_verified=is_verified,
        reauthenticated_at=proven_at,
        device_fingerprint=device,
        **_facts_of(client, device_name),
        created_at=at,
        last_activity_at=at,
        last_rotation_at=at,
    )
    session.expires_at = session.next_expiry(at=at)
    session.save(force_insert=True)
    record(
        event, user_id=user.pk, client=client, session=str(session.pk), device=session.device_name
    )
    # Who has just become a member needs no warning of their first device.
    if history.ever and not history.on_device:
        EmailService.queue(Kind.NEW_DEVICE, user_id=user.pk, session=str(session.pk))
    return SignedIn(
        user=user,
        session=session,
        tokens=TokenService.issue(session, at=at),
        first=user.last_login is None,
    )


def _facts_of(client: ClientInfo, device_name: str) -> dict[str, str | None]:
    device = device_of(client.user_agent)
    return {
        "device_name": device_name or device.name,
        "device_type": device.type,
        "browser": device.browser,
        "operating_system": device.operating_system,
        "user_agent": client.user_agent,
        "ip_address": client.ip_address,
    }


def _take_back_deletion(user: User, *, restore: bool, client: ClientInfo) -> None:
    # Whoever comes in stays; an erasure that has begun is not to be stopped.
    if not (restore and User.objects.cancel_deletion(user.pk)):
        raise InvalidCredentials
    record(Event.ACCOUNT_RESTORED, user_id=user.pk, client=client, risk=Risk.MEDIUM)


def _make_room(user: User, *, live: int, client: ClientInfo, at: dt.datetime) -> None:
    if live < settings.MAX_ACTIVE_SESSIONS:
        return
    by_use = UserSession.objects.filter(user=user).live(at=at).order_by("-last_activity_at")
    crowded_out = list(by_use.values_list("pk", flat=True)[settings.MAX_ACTIVE_SESSIONS - 1 :])
    UserSession.objects.filter(pk__in=crowded_out).end(reason=TokenBlacklist.Reason.EVICTED, at=at)
    for pk in crowded_out:
        record(Event.SESSION_EVICTED, user_id=user.pk, client=client, session=str(pk))
