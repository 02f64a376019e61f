"""How clients of Redis take a connection that was cut while it was idle."""

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
