"""The results as text."""

import dataclasses
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Self

from .databases import database_version
from .load import Round
from .operations import LOGIN, PROFILE, REFRESH, STOCK, VERIFY

_MAX_RATIOS = {PROFILE: 0.8, REFRESH: 0.4, VERIFY: 1.0, LOGIN: 1.2}
_HEADINGS = (
    "operation",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "CPU ms/request",
    "statements",
    "Redis commands",
)
_PACKAGES = ("Django", "djangorestframework", "djangorestframework-simplejwt", "gunicorn")


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The medians of an operation over its rounds; times are in milliseconds."""

    rate: float
    p50: float
    p99: float
    cpu: float | None
    queries: float | None
    commands: float | None

    @classmethod
    def of(cls, rounds: Sequence[Round]) -> Self:
        """Return the medians of rounds."""
        cpu = [one.cpu / len(one.answers) for one in rounds if one.cpu is not None]
        queries = [
            answer.queries for one in rounds for answer in one.answers if answer.queries is not None
        ]
        return cls(
            rate=statistics.median(len(one.answers) / one.duration for one in rounds),
            p50=1000 * statistics.median(_percentile(one, 0.50) for one in rounds),
            p99=1000 * statistics.median(_percentile(one, 0.99) for one in rounds),
            cpu=1000 * statistics.median(cpu) if cpu else None,
            queries=statistics.mean(queries) if queries else None,
            commands=_commands(rounds),
        )


def table(results: Mapping[str, Result]) -> str:
    """Return a table with one line for each operation."""
    rows = [_HEADINGS, *(_row(name, result) for name, result in results.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    )


def ratios(results: Mapping[str, Result]) -> str:
    """Return the CPU time of operations relative to the yardstick's, beside what is aimed at."""
    width = max(map(len, _MAX_RATIOS))
    pairs = {name: (results[name].cpu, results[f"{STOCK}{name}"].cpu) for name in _MAX_RATIOS}
    return (
        "\n".join(
            f"{name:<{width}} / stock  {ours / stock:5.2f}  (aim: {_MAX_RATIOS[name]})"
            for name, (ours, stock) in pairs.items()
            if ours and stock
        )
        or "This system has no /proc: no CPU times, no ratios."
    )


def environment() -> str:
    """Return one line about the machine and the software."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    cache = "Redis" if os.environ.get("REDIS_URL") else "in process"
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"database: {database_version()}, cache: {cache}; {packages}"
    )


def _row(name: str, result: Result) -> tuple[str, ...]:
    cpu = "-" if result.cpu is None else f"{result.cpu:.2f}"
    queries = "-" if result.queries is None else f"{result.queries:.1f}"
    commands = "-" if result.commands is None else f"{result.commands:.1f}"
    rate, p50, p99 = f"{result.rate:.0f}", f"{result.p50:.2f}", f"{result.p99:.2f}"
    return name, rate, p50, p99, cpu, queries, commands


def _commands(rounds: Sequence[Round]) -> float | None:
    counted = [one.commands / len(one.answers) for one in rounds if one.commands is not None]
    return statistics.median(counted) if counted else None


def _percentile(one: Round, share: float) -> float:
    latencies = sorted(answer.seconds for answer in one.answers)
    return latencies[min(int(len(latencies) * share), len(latencies) - 1)]
