"""How clients of Redis connect, and take a connection that was cut while it was idle."""

from typing import Any
from urllib.parse import urlsplit

from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.retry import Retry


def replace_cut_connection() -> Retry:
    """Return the policy that sends a command again, once and at once, if its connection was cut.

    A load balancer, or Redis's own `timeout`, ends idle connections. The client learns of it from
    its next command, which then runs over a fresh connection. A server that is silent is not asked
    again: the caller has waited for the timeout already. A command may run twice.
    """
    return Retry(NoBackoff(), 1, supported_errors=(ConnectionLost,))


def name_on_tls(url: str) -> dict[str, Any]:
    """Return the option that names a connection, for a server with TLS and without a password.

    Naming it makes the client read an answer, as a password does, and with it what the server sends
    after the handshake of TLS 1.3. The pool would take that for data of an earlier command and
    refuse the connection.
    """
    parts = urlsplit(url)
    is_silent = parts.scheme == "rediss" and not parts.password
    return {"client_name": "vineyard_group_fellowship"} if is_silent else {}
