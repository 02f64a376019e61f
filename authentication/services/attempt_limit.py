"""The rate limit of an attempt, as services see it: they decide which device it came from."""

import uuid
from typing import Protocol

from authentication.models import KnownDevice
from authentication.utils.client import ClientInfo
from authentication.utils.devices import device_digest, device_secrets

NO_ACCOUNT = uuid.UUID(int=0)
"""The id in the statements that are made for a name without an account."""


class AttemptLimit(Protocol):
    """An attempt that was counted for the client's address, until its device is known."""

    def count_for_device(self, digest: str) -> None:
        """Count it for a device that the account knows, and no longer for the address.

        `digest` is the device's hash. Raises RateLimited if the device is over its limit.
        """

    def count_for_address(self) -> None:
        """Leave it with the address; raises RateLimited if the address is over its limit."""


class Unlimited:
    """The limit of a caller that has none."""

    def count_for_device(self, digest: str) -> None:
        """Count nothing."""

    def count_for_address(self) -> None:
        """Count nothing."""


UNLIMITED = Unlimited()


def device_digests(client: ClientInfo, user_id: uuid.UUID) -> list[str]:
    """Return the hashes, under an account's id, of the secrets that a client presents."""
    return [device_digest(secret, user_id) for secret in device_secrets(client.device_id)]


def count_attempt(limit: AttemptLimit, client: ClientInfo, user_id: uuid.UUID | None) -> None:
    """Count an attempt at an account for the device if the account knows it, else for the address.

    For a name without an account (None) the same statements are made. Raises RateLimited.
    """
    if limit is UNLIMITED:
        return
    owner = user_id or NO_ACCOUNT
    digest = KnownDevice.objects.digest_of(owner, device_digests(client, owner))
    if digest:
        limit.count_for_device(digest)
    else:
        limit.count_for_address()
