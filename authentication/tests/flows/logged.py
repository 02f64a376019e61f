"""The service's own logging, written into a string."""

import contextlib
import copy
import importlib.util
import io
import logging
import logging.config
from collections.abc import Iterator
from typing import Any
from unittest import mock

from django.conf import settings

from vineyard_group_fellowship.settings import logging as module


def configuration(form: str) -> dict[str, Any]:
    """Return LOGGING as the settings make it with this LOG_FORMAT, at DEBUG."""
    spec = importlib.util.spec_from_file_location(f"{module.__name__}_{form}", module.__file__)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    with mock.patch.dict("os.environ", {"LOG_FORMAT": form, "LOG_LEVEL": "DEBUG"}):
        spec.loader.exec_module(made)
    found: dict[str, Any] = made.LOGGING
    return found


@contextlib.contextmanager
def logged(form: str) -> Iterator[io.StringIO]:
    """Log as the service does in a format, for a while, into what is returned."""
    written, root = io.StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    config = copy.deepcopy(configuration(form))
    config["handlers"]["console"]["stream"] = written
    logging.config.dictConfig(config)
    try:
        yield written
    finally:
        logging.config.dictConfig(settings.LOGGING)
        root.handlers, root.level = handlers, level
