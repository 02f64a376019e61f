"""Measures, on PostgreSQL, the admin and the API with PEOPLE accounts: `make bench-scale`."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .databases import database, postgresql_url
from .environments import service_environment
from .servers import ROOT

_FEW = 1_000
_MOST_MS, _MOST_QUERIES = 500, 15

Pages = list[tuple[str, str, str, float, int]]
"""Table, kind, path, milliseconds and number of queries."""


def main() -> int:
    """Fill two databases, measure, print; return 1 if a page of the admin is over its bound."""
    options = _options()
    if not postgresql_url():
        sys.stderr.write("Set DATABASE_URL to a PostgreSQL server.\n")
        return 1
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        small = stack.enter_context(database(f"scale_few_{os.getpid()}", directory))
        large = options.filled or stack.enter_context(
            database(f"scale_many_{os.getpid()}", directory)
        )
        _fill(small, _FEW)
        if not options.filled:
            _fill(large, options.people)
        api = [json.loads(_run("benchmarks.scale_api", url)) for url in (small, large)]
        _print_api(*api)
        return _print_admin(json.loads(_run("benchmarks.scale_admin", large)), each=options.each)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.scale", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000, help="default: a million")
    parser.add_argument("--filled", metavar="URL", help="a database that seed_demo has filled")
    parser.add_argument("--each", action="store_true", help="print every page of the admin")
    return parser.parse_args()


def _fill(url: str, people: int) -> None:
    _run("manage.py", url, "migrate", "--verbosity", "0")
    _run("manage.py", url, "seed_demo", "--people", str(people))


def _run(program: str, url: str, *arguments: str) -> str:
    """Run a program on a database and return its output."""
    how = (program,) if program.endswith(".py") else ("-m", program)
    quiet = {"LOG_LEVEL": "CRITICAL", "PYTHONWARNINGS": "ignore"}
    environment: Mapping[str, str] = {**service_environment(url), **quiet}
    return subprocess.run(  # noqa: S603 -- fixed arguments
        (sys.executable, *how, *arguments),
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


def _print_api(few: dict[str, Any], many: dict[str, Any]) -> None:
    _write(f"{'API, medians in ms':<20} {'few people':>20} {'many people':>20}  ratio")
    for name, (total, in_database) in few.items():
        now, of_it = many[name]
        _write(
            f"{name:<20} {total:8.1f} ({in_database:5.1f} db) {now:8.1f} ({of_it:5.1f} db)"
            f"  {now / total:5.2f} ({of_it / in_database:.2f} db)"
        )


def _print_admin(pages: Pages, *, each: bool) -> int:
    """Print the slowest page of each kind, or every page; return 1 if one is over its bound."""
    groups: dict[tuple[str, str], Pages] = defaultdict(list)
    for page in pages:
        groups[page[0], page[1]].append(page)
    _write(f"\n{'Admin':<24} {'kind':<14} {'pages':>5} {'slowest ms':>11} {'queries':>8}")
    for (table, kind), found in groups.items():
        slowest, queries = max(page[3] for page in found), max(page[4] for page in found)
        _write(f"{table:<24} {kind:<14} {len(found):5} {slowest:11.1f} {queries:8}")
    for _, _, path, took, queries in pages if each else ():
        _write(f"{took:8.1f} ms {queries:3}  {path}")
    over = [page for page in pages if page[3] > _MOST_MS or page[4] > _MOST_QUERIES]
    for _, _, path, took, queries in over:
        _write(f"TOO MUCH: {took:.1f} ms, {queries} queries: {path}")
    _write(f"{len(pages)} pages, {len(over)} over {_MOST_MS} ms or {_MOST_QUERIES} queries")
    return int(bool(over))


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
