"""The `.env` file: read as docker compose reads it, or refused."""

import os
import re
from pathlib import Path

PATH = Path(__file__).resolve().parents[1] / ".env"

_ASSIGNMENT = re.compile(r"(?:export )?(\w+)=(.*)", re.ASCII)
# In any other form docker compose puts variables in place of `$`, cuts off what follows a `#`, or
# takes quotes and backslashes for its own.
_FORMS = re.compile(
    r"""(?P<plain>[^$#'"]*)|'(?P<single>(?:[^']*[^'\\])?)'|"(?P<double>[^"$\\]*)\""""
)
# Up to a number of letters, so many may be mistyped.
_MISTYPED = {4: 0, 7: 1}
_MISTYPED_AT_MOST = 2


def parse(text: str, file: str = ".env") -> tuple[dict[str, str], list[str]]:
    """Return the variables of a `.env` file, and what is wrong with it; no fault quotes a value."""
    values, faults = {}, []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        assignment = _ASSIGNMENT.fullmatch(line)
        value = assignment and _FORMS.fullmatch(assignment[2].strip())
        if not assignment:
            faults.append(f"Line {number} of {file} is not an assignment such as NAME=value")
        elif not value:
            faults.append(
                f"The value of {assignment[1]} in {file} must stand in single quotes: it has a"
                " dollar sign, a number sign or a quote, and docker compose would read another"
                " value. It may not have a single quote itself"
            )
        else:
            values[assignment[1]] = value[value.lastgroup or 0]
    return values, faults


def load(path: Path = PATH) -> tuple[dict[str, str], list[str]]:
    """Set what the process lacks of a `.env` file; return its variables, and its faults."""
    if not path.is_file():
        return {}, []
    values, faults = parse(path.read_text(encoding="utf-8-sig"), path.name)
    for name, value in values.items():
        os.environ.setdefault(name, value)
    return values, faults


def meant(name: str, known: set[str]) -> str | None:
    """Return the known name of which this one is a misspelling, or None."""
    allowed = next((n for size, n in _MISTYPED.items() if len(name) <= size), _MISTYPED_AT_MOST)
    near = ((_distance(name.upper(), it), it) for it in known)
    distance, nearest = min(near, default=(allowed + 1, ""))
    return nearest if distance <= allowed else None


def _distance(one: str, other: str) -> int:
    """Return the number of letters to add, drop, replace or swap between two names."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, row, before = before, [i], row
        for j, its in enumerate(other, 1):
            steps = [before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its)]
            if i > 1 and j > 1 and one[i - 2 : i] == its + other[j - 2]:
                steps.append(last[j - 2] + 1)
            row.append(min(steps))
    return row[-1]
