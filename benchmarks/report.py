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
from .operations import BARE, PROFILE, REFRESH

_MAX_RATIOS = {PROFILE: 2.0, REFRESH: 3.0}
_HEADINGS = ("operation", "requests/s", "p50 ms", "p99 ms", "CPU ms/request", "queries")
_PACKAGES = ("Django", "djangorestframework", "djangorestframework-simplejwt", "gunicorn")


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The medians of an operation over its rounds; times are in milliseconds."""

    rate: float
    p50: float
    p99: float
    cpu: float | None
    queries: float | None

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
    """Return the CPU time of operations relative to a bare view, and whether it is low enough."""
    bare = results[BARE].cpu
    if not bare:
        return "This system has no /proc: no CPU times, no ratios."
    width = max(map(len, _MAX_RATIOS))
    return "\n".join(
        f"{name:<{width}} / {BARE}  {cpu / bare:5.2f}"
        f"  (at most {limit}: {'yes' if cpu / bare <= limit else 'NO'})"
        for name, limit in _MAX_RATIOS.items()
        if (cpu := results[name].cpu) is not None
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
    return name, f"{result.rate:.0f}", f"{result.p50:.2f}", f"{result.p99:.2f}", cpu, queries


def _percentile(one: Round, share: float) -> float:
    latencies = sorted(answer.seconds for answer in one.answers)
    return latencies[min(int(len(latencies) * share), len(latencies) - 1)]
