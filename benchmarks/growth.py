"""Measures, on PostgreSQL, what grows with age: `make bench-growth`, of ROWS audit events."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .databases import database, postgresql_url
from .environments import service_environment
from .servers import ROOT

# The figure, its unit, and its bound: for the measures of growth_measures.py.
_BOUNDS = {
    "erase": ("statements of an erasure (95 %)", "ms", 50.0),
    "build_export": ("memory to make a copy of one's data", "MiB", 150.0),
    "read_export": ("memory to download it", "MiB", 150.0),
    "export_log": ("memory to export the log", "MiB", 150.0),
    "failures": ("rows of a day of 100 failures a second", "MB", 200.0),
    "names": ("Redis of a day of 100 failures a second", "MB", 200.0),
    "refreshes": ("a year of 10,000 people", "GB", 20.0),
    "activity": ("first page of an activity with hidden events", "ms", 100.0),
}


def main() -> int:
    """Fill a database, measure, print; return 1 if a figure is over its bound."""
    parser = argparse.ArgumentParser(prog="benchmarks.growth", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000, help="audit events")
    parser.add_argument("--only", choices=_BOUNDS, action="append", help="a measure to make")
    options = parser.parse_args()
    if not postgresql_url():
        sys.stderr.write("Set DATABASE_URL to a PostgreSQL server.\n")
        return 1
    with (
        tempfile.TemporaryDirectory() as directory,
        database(f"growth_{os.getpid()}", Path(directory)) as url,
    ):
        environment = {**service_environment(url), "DB_STATEMENT_TIMEOUT_MS": "600000"}
        _run("benchmarks.growth_rows", str(options.rows), environment)
        exceeded = [name for name in options.only or _BOUNDS if not _measure(name, environment)]
    return int(bool(exceeded))


def _measure(name: str, environment: Mapping[str, str]) -> bool:
    title, unit, bound = _BOUNDS[name]
    found = json.loads(_run("benchmarks.growth_measures", name, environment))
    is_kept = found["figure"] <= bound
    verdict = "ok" if is_kept else "TOO MUCH"
    sys.stdout.write(f"{title:<46} {found['figure']:9.1f} {unit} of {bound:g}  {verdict}\n")
    sys.stdout.write(f"    {found['detail']}\n")
    sys.stdout.flush()
    return bool(is_kept)


def _run(module: str, argument: str, environment: Mapping[str, str]) -> str:
    """Run a module in a process of its own, whose memory is its measure's alone."""
    command = (sys.executable, "-m", module, argument)
    return subprocess.run(  # noqa: S603 -- fixed arguments
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


if __name__ == "__main__":
    raise SystemExit(main())
