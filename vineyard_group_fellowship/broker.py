"""The transport to a Redis broker, which replaces a connection that was cut while idle."""

from typing import Any

from kombu.transport import redis as kombu_redis

from .redis_connections import replace_cut_connection


class Channel(kombu_redis.Channel):
    """Kombu's channel; a message is not lost with a connection that was cut while idle.

    Otherwise the scheduler loses the first task of every round. A message may be sent twice, as
    every task of the service may run twice.
    """

    def _connparams(
        self,
        asynchronous: bool = False,  # noqa: FBT001, FBT002 -- kombu's signature
    ) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._connparams(  # type: ignore[no-untyped-call]  # kombu
            asynchronous=asynchronous
        )
        # A worker's event loop watches the sockets of these, so they must not change unseen. Kombu
        # renews them itself.
        if not asynchronous:
            parameters["retry"] = replace_cut_connection()
        return parameters


class Transport(kombu_redis.Transport):
    """Kombu's Redis transport with the channel above."""

    Channel = Channel
