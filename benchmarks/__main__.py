"""Measures the service and the yardstick in turns, and prints what came out; see --help."""

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

import psycopg

from . import report
from .environments import service_environment, yardstick_environment
from .load import Operation, Round, WrongAnswerError
from .operations import ACCOUNTS, operations_of_service, operations_of_yardstick
from .places import database
from .servers import THREADS, ServerFailedError, prepared, running

_WARM_UP_SECONDS = 0.7
_STOPS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Measure and print; return the exit status."""
    options = _options()
    for number in _STOPS:
        signal.signal(number, _stop)
    try:
        with contextlib.ExitStack() as lent:
            operations = _operations(lent, options.clients)
            rounds = _measured(operations, options.rounds, options.seconds)
    except (WrongAnswerError, ServerFailedError, psycopg.OperationalError) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    _say(_conclusion(rounds, options))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=sys.modules["benchmarks"].__doc__
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="rounds of every operation (default: 5)"
    )
    parser.add_argument(
        "--seconds", type=float, default=1.2, help="seconds of a round (default: 1.2)"
    )
    parser.add_argument("--clients", type=int, default=3, help="clients at once (default: 3)")
    options = parser.parse_args()
    if min(options.rounds, options.seconds, options.clients) <= 0:
        parser.error("rounds, seconds and clients must be more than nothing")
    return options


def _operations(lent: contextlib.ExitStack, clients: int) -> list[Operation]:
    directory = Path(lent.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
    bare = yardstick_environment(
        lent.enter_context(database(f"bench_bare_{os.getpid()}", directory))
    )
    ours = service_environment(
        lent.enter_context(database(f"bench_service_{os.getpid()}", directory))
    )
    tokens = json.loads(prepared("benchmarks.bare.accounts", clients, bare))
    accounts = json.loads(prepared("benchmarks.accounts", clients * ACCOUNTS, ours))
    yardstick = lent.enter_context(running("benchmarks.bare.wsgi:application", bare, directory))
    service = lent.enter_context(
        running("vineyard_group_fellowship.wsgi:application", ours, directory)
    )
    return [*operations_of_yardstick(yardstick, tokens), *operations_of_service(service, accounts)]


def _measured(operations: list[Operation], rounds: int, seconds: float) -> dict[str, list[Round]]:
    for operation in operations:
        operation.run(_WARM_UP_SECONDS)
    measured: dict[str, list[Round]] = {operation.name: [] for operation in operations}
    # In turns, so that whatever else the machine does meets all of them.
    for _ in range(rounds):
        for operation in operations:
            measured[operation.name].append(operation.run(seconds))
    return measured


def _conclusion(rounds: dict[str, list[Round]], options: argparse.Namespace) -> str:
    results = {name: report.Result.of(each) for name, each in rounds.items()}
    conditions = (
        f"Medians of {options.rounds} rounds of {options.seconds} s, {options.clients} clients in a closed loop, "
        f"one gunicorn worker with {THREADS} threads for each server.\n"
        "The service's rate limits and mail are off. CPU is the worker's alone, not the database's or the cache's. "
        "Of fewer than 100 answers in a round, p99 is the slowest."
    )
    return "\n\n".join(
        (report.table(results), report.ratios(results), f"{conditions}\n{report.environment()}")
    )


def _say(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")


def _stop(number: int, _: object) -> NoReturn:
    # Once is enough: a second Ctrl-C must not stop the clearing away.
    for other in _STOPS:
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
