"""The access log: one event for each request, without its query string."""

from typing import Any

import structlog

from authentication.utils.client import LOG_FIELDS_KEY, client_address


def log_request(
    logger: str,
    environ: dict[str, Any],
    *,
    status: int,
    size: int | None,
    seconds: float,
    correlation_id: str | None,
) -> None:
    """Log an answered request.

    `size` is the length of the response's body in bytes. A request that was refused before any
    middleware ran is logged with its address alone.
    """
    structlog.get_logger(logger).info(
        "request",
        method=environ.get("REQUEST_METHOD"),
        path=environ.get("PATH_INFO"),
        status=status,
        bytes=size,
        milliseconds=round(seconds * 1000, 1),
        correlation_id=correlation_id,
        **(environ.get(LOG_FIELDS_KEY) or _address_alone(environ)),
    )


def _address_alone(environ: dict[str, Any]) -> dict[str, str]:
    address = client_address(environ)
    return {"address": str(address)} if address else {}
