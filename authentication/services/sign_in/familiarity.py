"""Building block: the networks from which a person has lately shown who they are.

From there a sign-in is told of the account's lock, which is its owner's business; from elsewhere it
is told no more than a name that nobody has would tell.
"""

from django.core.cache import caches

from authentication.models import User
from authentication.utils.client import ClientInfo, network_key, parse_ip
from authentication.utils.crypto import pseudonym

_MEMORY_SECONDS = 30 * 86_400


def remember_network(user: User, client: ClientInfo) -> None:
    """Note that a person knew their password, or read their mail, on the network of a client."""
    if parse_ip(client.ip_address or ""):
        caches["limits"].set(_key(str(user.pk), client), 1, _MEMORY_SECONDS)


def is_familiar(user: User | None, canonical: str, client: ClientInfo) -> bool:
    """Return whether whoever has a name has shown who they are on the client's network.

    For a name that nobody has it is looked up as well, and never found.
    """
    return bool(caches["limits"].get(_key(str(user.pk) if user else canonical, client)))


def _key(subject: str, client: ClientInfo) -> str:
    network = network_key(parse_ip(client.ip_address or ""))
    return f"familiar:{pseudonym('familiar', f'{subject} {network}')}"
