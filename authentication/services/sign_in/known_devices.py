"""Recognises known devices at a sign-in and remembers new ones."""

import dataclasses
import datetime as dt

from authentication.models import KnownDevice, User, UserSession
from authentication.services.attempt_limit import device_digests
from authentication.utils.client import ClientInfo
from authentication.utils.devices import device_digest, with_new_secret


@dataclasses.dataclass(frozen=True, slots=True)
class ClientDevice:
    """A device known to an account: its id, which the client keeps, and the hash we keep."""

    device_id: str
    digest: str
    new_row: KnownDevice | None = None
    """The row of a new device, which is not stored yet."""


def recognise(user: User, client: ClientInfo) -> ClientDevice | None:
    """Return the client's device if the account knows it."""
    digest = KnownDevice.objects.digest_of(user.pk, device_digests(client, user.pk))
    return ClientDevice(client.device_id, digest) if digest else None


def is_known(session: UserSession) -> bool:
    """Return whether the device that a session was opened on is still known to its account."""
    digest = session.device_fingerprint
    return KnownDevice.objects.filter(user_id=session.user_id, digest=digest).exists()


def remember(user: User, client: ClientInfo, *, at: dt.datetime) -> ClientDevice:
    """Return the client's device, made known to the account if it was not."""
    device = known_or_new(user, client, at=at)
    if device.new_row:
        device.new_row.save(force_insert=True)
    return device


def known_or_new(
    user: User, client: ClientInfo, *, digest: str = "", at: dt.datetime
) -> ClientDevice:
    """Return the client's device; of a new one the caller stores the row.

    `digest` is its hash, if it was recognised already. A new device gets a secret of ours: one that
    the client brought could be known to others.
    """
    known = ClientDevice(client.device_id, digest) if digest else recognise(user, client)
    if known:
        return known
    secret, device_id = with_new_secret(client.device_id)
    digest = device_digest(secret, user.pk)
    row = KnownDevice(user=user, digest=digest, created_at=at, last_used_at=at)
    return ClientDevice(device_id, digest, row)
