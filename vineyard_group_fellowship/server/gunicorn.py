"""Gunicorn's logger."""

import logging.config
import os
from typing import Any

from django.conf import settings
from gunicorn.glogging import Logger

from .access_log import log_request

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")


class ServerLogger(Logger):
    """Logs through the service's pipeline."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        logging.config.dictConfig(settings.LOGGING)
        for log in (self.error_log, self.access_log):
            log.handlers, log.propagate = [], True

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: Any) -> None:
        headers = {name.lower(): value for name, value in resp.headers}
        log_request(
            "gunicorn.access",
            environ,
            status=int(str(resp.status).split(" ", maxsplit=1)[0]),
            size=getattr(resp, "sent", None),
            seconds=request_time.total_seconds(),
            correlation_id=headers.get("x-correlation-id"),
        )
