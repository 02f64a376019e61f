"""Log lines: the facts of a request are added, secrets and personal data removed."""

import functools
import logging
import re
import traceback
from typing import Any

_QUERY = re.compile(r"\?\S*")
_QUOTED = re.compile(r"['\"].*", re.DOTALL)
# PostgreSQL quotes the whole row that it refuses: addresses, names, password hashes.
_ROW = re.compile(r"^DETAIL:.*?(?=^(?:\n|CONTEXT:|HINT:)|\Z)", re.DOTALL | re.MULTILINE)


class RemoveQuery(logging.Filter):
    """Removes query strings from a server's lines: mailed links carry tokens in them."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _QUERY.sub("", it) if isinstance(it, str) else it for it in record.args
            )
        # A malformed request is quoted as it came, with its headers.
        if isinstance(record.msg, str) and record.msg.startswith("Invalid request"):
            record.msg = _QUOTED.sub("…", record.msg)
        return True


class RemoveMessageBody(logging.Filter):
    """Removes from Celery's lines the body of an unknown task's message, and error messages."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = str(record.msg)
        first = text.partition("\n")[0].partition("[type:")[0]
        if first != text and isinstance(record.args, tuple):
            record.msg, record.args = first, record.args[: first.count("%")]
        if isinstance(record.args, dict) and "exc" in record.args:
            # Only the class; the traceback has the rest.
            record.args = {**record.args, "exc": str(record.args["exc"]).partition("(")[0]}
        return True


def add_request_facts(_: Any, __: str, event: Any) -> Any:
    """Add the request's user, address and action."""
    event.update(
        {
            name: value
            for name, value in event.pop("request", {}).items()
            if value and name not in event
        }
    )
    return event


def escape_controls(_: Any, __: str, event: Any) -> Any:
    """Escape characters that would end, colour or reverse a line; JSON escapes them itself."""
    return {
        name: value if name == "exc_info" else _escape_value(value) for name, value in event.items()
    }


def format_exception(exc_info: Any) -> str:
    """Return a traceback without frame variables and without the rows that a database quotes."""
    return _ROW.sub("DETAIL: [withheld]\n", "".join(traceback.format_exception(*exc_info))).rstrip(
        "\n"
    )


def write_indented(written: Any, exc_info: Any) -> None:
    """Write a traceback over several indented lines, so that none looks like an event."""
    for line in format_exception(exc_info).split("\n"):
        written.write(f"\n    | {escape(line)}")


def escape(text: str) -> str:
    """Escape the characters that are not printable."""
    if text.isprintable():
        return text
    return "".join(map(_escape_character, text))


@functools.lru_cache(maxsize=1024)
def _escape_character(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


def _escape_value(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value)
    return value if value is None or isinstance(value, int | float) else escape(repr(value))
