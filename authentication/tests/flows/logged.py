"""The service's logging, written into a string."""

import contextlib
import copy
import importlib.util
import io
import json
import logging
import logging.config
import re
from collections.abc import Iterator
from typing import Any
from unittest import mock

from django.conf import settings
from hypothesis import strategies as st

from vineyard_group_fellowship.settings import logging as module


def configuration(form: str) -> dict[str, Any]:
    """Return LOGGING of the settings with this LOG_FORMAT and the level DEBUG."""
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
    """Log in this format into the buffer that is yielded."""
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


FORGED = '"}\n{"event": "login", "level": "info"}'
HOSTILE = [
    "a\r\nb",
    "a\nb",
    "a\x00b",
    "a\x1b[31mb",
    "a\x85b",
    "a\x0cb",
    "a\u2028b",
    "a\u202eb",
    "a\u2066b",
    FORGED,
]
ANYTHING = st.text(st.characters(exclude_categories=()), max_size=60)


class Counted(logging.Handler):
    """Counts logged events."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


def lines_of(text: str) -> list[dict[str, Any]]:
    """Check that only line feeds end lines; return the events of a log."""
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    return [json.loads(line) for line in text.splitlines()]


COLOUR = re.compile(r"\x1b\[\d*m")


def console_lines_of(text: str) -> list[str]:
    """Check that a console log is printable; return its lines without colours."""
    lines = COLOUR.sub("", text).split("\n")
    assert all(line.isprintable() for line in lines)
    return [line for line in lines if line]
