"""Measures the service and the yardstick in alternating rounds and prints the results."""

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
from .databases import database
from .environments import service_environment, yardstick_environment
from .load import Operation, Round, UnexpectedResponseError
from .operations import ACCOUNTS, SERVICE, STOCK, YARDSTICK, operations
from .servers import THREADS, ServerFailedError, prepare_database, run_server

_WARM_UP_SECONDS = 0.7
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Measure, print the results and return the exit status."""
    options = _options()
    for number in _STOP_SIGNALS:
        signal.signal(number, _stop)
    try:
        with contextlib.ExitStack() as stack:
            operations = _operations(stack, options.clients)
            rounds = _measure(operations, options.rounds, options.seconds)
    except (UnexpectedResponseError, ServerFailedError, psycopg.OperationalError) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    _print(_report(rounds, options))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=sys.modules["benchmarks"].__doc__
    )
    parser.add_argument(
        "--rounds", type=int, default=5, help="rounds of each operation (default: 5)"
    )
    parser.add_argument(
        "--seconds", type=float, default=1.2, help="seconds per round (default: 1.2)"
    )
    parser.add_argument("--clients", type=int, default=3, help="concurrent clients (default: 3)")
    options = parser.parse_args()
    if min(options.rounds, options.seconds, options.clients) <= 0:
        parser.error("rounds, seconds and clients must be positive")
    return options


def _operations(stack: contextlib.ExitStack, clients: int) -> list[Operation]:
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
    bare = yardstick_environment(
        stack.enter_context(database(f"bench_bare_{os.getpid()}", directory))
    )
    ours = service_environment(
        stack.enter_context(database(f"bench_service_{os.getpid()}", directory))
    )
    users = json.loads(prepare_database("benchmarks.bare.accounts", clients * ACCOUNTS, bare))
    accounts = json.loads(prepare_database("benchmarks.accounts", clients * ACCOUNTS, ours))
    yardstick = stack.enter_context(run_server("benchmarks.bare.wsgi:application", bare, directory))
    service = stack.enter_context(
        run_server("vineyard_group_fellowship.wsgi:application", ours, directory)
    )
    return [
        *operations(yardstick, users, YARDSTICK, prefix=STOCK),
        *operations(service, accounts, SERVICE),
    ]


def _measure(operations: list[Operation], rounds: int, seconds: float) -> dict[str, list[Round]]:
    for operation in operations:
        operation.run(_WARM_UP_SECONDS)
    measured: dict[str, list[Round]] = {operation.name: [] for operation in operations}
    # Rounds alternate, so that other load on the machine affects all operations alike.
    for _ in range(rounds):
        for operation in operations:
            measured[operation.name].append(operation.run(seconds))
    return measured


def _report(rounds: dict[str, list[Round]], options: argparse.Namespace) -> str:
    results = {name: report.Result.of(each) for name, each in rounds.items()}
    conditions = (
        f"Medians of {options.rounds} rounds of {options.seconds} s, "
        f"{options.clients} clients in a closed loop.\n"
        f"Each server is one gunicorn worker with {THREADS} threads. "
        "No password is hashed, no mail is sent.\n"
        "The yardstick is a stock project of simplejwt with its blacklist and rotation.\n"
        "CPU is that of the worker only, without the database and the cache.\n"
        "With fewer than 100 responses in a round, p99 is the slowest."
    )
    return "\n\n".join(
        (report.table(results), report.ratios(results), f"{conditions}\n{report.environment()}")
    )


def _print(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")


def _stop(number: int, _: object) -> NoReturn:
    # Further signals are ignored: a second Ctrl-C must not interrupt the cleanup.
    for other in _STOP_SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
