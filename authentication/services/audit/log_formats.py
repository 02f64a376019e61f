"""The audit log as text: CSV and JSON Lines."""

import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from .log_export import EVENT_FIELDS

# A spreadsheet runs a cell that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield a header and a line for each event."""
    yield _csv_line(EVENT_FIELDS)
    for row in rows:
        yield _csv_line([_without_formula(row[name]) for name in EVENT_FIELDS])


def json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield a JSON object for each event."""
    for row in rows:
        yield json.dumps(row, default=_text) + "\n"


def _csv_line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _without_formula(value: Any) -> str:
    text = json.dumps(value, default=_text) if isinstance(value, dict) else _text(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return "" if value is None else str(value)
