"""Building block: opening a session for a person who has proven who they are."""

import dataclasses
import datetime as dt

from django.conf import settings

from authentication.exceptions import InvalidCredentials
from authentication.models import TokenBlacklist, User, UserSession
from authentication.utils.client import ClientInfo
from authentication.utils.devices import device_of, fingerprint

from .audit import Event, record
from .tokens import TokenPair, TokenService


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
) -> SignedIn:
    """Open a session and return its tokens, in the caller's transaction.

    Raises InvalidCredentials if the password or the account changed since `user` was read.
    """
    # This write holds the person's row, so that sign-ins at the same time count the sessions one after the other.
    # The clock of whoever changed the password may be ahead of ours.
    at = max(at, user.password_changed_at)
    if not User.objects.sign_in(user, at=at):
        raise InvalidCredentials
    _make_room(user, client=client, at=at)
    device = device_of(client.user_agent)
    session = UserSession(
        user=user,
        remember_me=remember_me,
        is_verified=is_verified,
        device_name=device_name or device.name,
        device_type=device.type,
        browser=device.browser,
        operating_system=device.operating_system,
        device_fingerprint=fingerprint(client.user_agent, user_id=user.pk),
        user_agent=client.user_agent,
        ip_address=client.ip_address,
        created_at=at,
        last_activity_at=at,
        last_rotation_at=at,
    )
    session.expires_at = session.next_expiry(at=at)
    session.save(force_insert=True)
    record(event, user_id=user.pk, client=client, session=str(session.pk), device=session.device_name)
    return SignedIn(
        user=user, session=session, tokens=TokenService.issue(session, at=at), first=user.last_login is None
    )


def _make_room(user: User, *, client: ClientInfo, at: dt.datetime) -> None:
    live = UserSession.objects.filter(user=user).live(at=at).order_by("-last_activity_at")
    crowded_out = list(live.values_list("pk", flat=True))[settings.MAX_ACTIVE_SESSIONS - 1 :]
    if crowded_out:
        UserSession.objects.filter(pk__in=crowded_out).end(reason=TokenBlacklist.Reason.EVICTED, at=at)
        for pk in crowded_out:
            record(Event.SESSION_EVICTED, user_id=user.pk, client=client, session=str(pk))
