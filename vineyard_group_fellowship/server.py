"""Gunicorn's logger."""

import logging.config
import os
from typing import Any

import structlog
from django.conf import settings
from gunicorn.glogging import Logger

from authentication.utils.client import LOG_FIELDS_KEY, client_address

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")


class ServerLogger(Logger):
    """Logs through the service's pipeline; each request is one event, without its query string."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logging.config.dictConfig(settings.LOGGING)
        for log in (self.error_log, self.access_log):
            log.handlers, log.propagate = [], True

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        headers = {name.lower(): value for name, value in resp.headers}
        structlog.get_logger("gunicorn.access").info(
            "request",
            method=environ.get("REQUEST_METHOD"),
            path=environ.get("PATH_INFO"),
            status=int(str(resp.status).split(" ", maxsplit=1)[0]),
            bytes=getattr(resp, "sent", None),
            milliseconds=round(request_time.total_seconds() * 1000, 1),
            correlation_id=headers.get("x-correlation-id"),
            **(environ.get(LOG_FIELDS_KEY) or _address_alone(environ)),
        )


def _address_alone(environ: dict[str, Any]) -> dict[str, str]:
    """Return the client address of a request that gunicorn refused before any middleware ran."""
    address = client_address(environ)
    return {"address": str(address)} if address else {}
