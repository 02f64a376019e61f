"""What a log line must hold, and what it must not."""

import logging
import re
import traceback
from typing import Any

_QUERY = re.compile(r"\?\S*")
_QUOTED = re.compile(r"['\"].*", re.DOTALL)
# A database quotes the whole row it refuses: addresses, names, hashes of passwords.
_ROW = re.compile(r"^DETAIL:.*?(?=^(?:\n|CONTEXT:|HINT:)|\Z)", re.DOTALL | re.MULTILINE)


class WithoutQuery(logging.Filter):
    """Cuts from a server's lines what it quotes of a request: mailed links carry their tokens in the query."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _QUERY.sub("", it) if isinstance(it, str) else it for it in record.args
            )
        # What cannot be read as a request is quoted as it came, headers included.
        if isinstance(record.msg, str) and record.msg.startswith("Invalid request"):
            record.msg = _QUOTED.sub("…", record.msg)
        return True


class WithoutBody(logging.Filter):
    """Cuts from Celery's lines the messages that it prints whole when nobody understands them, and an error's words."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = str(record.msg)
        first = text.partition("\n")[0].partition("[type:")[0]
        if first != text and isinstance(record.args, tuple):
            record.msg, record.args = first, record.args[: first.count("%")]
        if isinstance(record.args, dict) and "exc" in record.args:
            # The class alone; the traceback beneath has the rest.
            record.args = {**record.args, "exc": str(record.args["exc"]).partition("(")[0]}
        return True


def with_request(_: Any, __: str, event: Any) -> Any:
    """Say whose request it is, from where, and what for."""
    event.update(
        {
            name: value
            for name, value in event.pop("request", {}).items()
            if value and name not in event
        }
    )
    return event


def without_controls(_: Any, __: str, event: Any) -> Any:
    """Escape what would end a line, colour it or turn its direction (JSON's own escapes do that for machines)."""
    return {name: value if name == "exc_info" else _shown(value) for name, value in event.items()}


def exception_text(exc_info: Any) -> str:
    """Return a traceback without the variables of its frames and without the rows a database quotes."""
    return _ROW.sub("DETAIL: [withheld]\n", "".join(traceback.format_exception(*exc_info))).rstrip(
        "\n"
    )


def write_indented(written: Any, exc_info: Any) -> None:
    """Write a traceback for people: over several lines, none of which can be taken for an event."""
    for line in exception_text(exc_info).split("\n"):
        written.write(f"\n    | {escaped(line)}")


def escaped(text: str) -> str:
    """Return a text with everything escaped that is not seen, or not seen as what it is."""
    if text.isprintable():
        return text
    return "".join(it if it.isprintable() else it.encode("unicode_escape").decode() for it in text)


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return escaped(value)
    return value if value is None or isinstance(value, int | float) else escaped(repr(value))
