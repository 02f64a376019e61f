"""Starts the web server; its settings come from the environment and `.env`."""

import multiprocessing
import os
import shutil
import sys

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings

from authentication.utils.counters import VARIABLE, folder_for_counters
from vineyard_group_fellowship import env_file
from vineyard_group_fellowship.server.limits import (
    DRAIN_SECONDS,
    HEADER_SECONDS,
    MAX_HEAD,
    connections,
)
from vineyard_group_fellowship.server.one_socket import OneSocketServer

_BACKLOG = 2048
# A new process has this long to start before the one that it replaces stops.
_START_SECONDS = 15


def main(target: str = "vineyard_group_fellowship.server.worker:application") -> None:
    """Serve until SIGTERM; SIGHUP replaces the processes one after the other."""
    # The settings refuse what is wrong with the file.
    env_file.load()
    folder = os.environ[VARIABLE] = folder_for_counters(os.environ.get(VARIABLE))
    # The application divides the memory for password hashes by the same number.
    os.environ["WEB_CONCURRENCY"] = os.environ.get("WEB_CONCURRENCY") or "2"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")
    from django.conf import settings

    # Large pages for the 64 MiB of a password hash, which takes a quarter less time on them. glibc
    # reads this when a process starts, so it serves the processes of the server.
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
    # Threads and connections do not survive a fork.
    multiprocessing.set_start_method("spawn")
    server = OneSocketServer(
        target,
        address="0.0.0.0",  # noqa: S104 -- the container's network or a firewall bounds it
        port=settings.PORT,
        # Its RSGI drops header values that are not ASCII, and takes half a chunked body for a
        # whole one.
        interface=Interfaces.ASGINL,
        loop=Loops.asyncio,
        runtime_mode=RuntimeModes.st,
        http=HTTPModes.http1,
        websockets=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=MAX_HEAD
        ),
        workers=settings.WEB_CONCURRENCY,
        backlog=_BACKLOG,
        backpressure=connections(),
        log_dictconfig=settings.LOGGING,
        respawn_failed_workers=True,
        respawn_interval=_START_SECONDS,
        workers_kill_timeout=DRAIN_SECONDS,
    )
    try:
        server.serve()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main_in_development() -> None:
    """Serve as `main` does where the environment names PostgreSQL, else by Django's runserver."""
    env_file.load()
    os.environ["WEB_CONCURRENCY"] = os.environ.get("WEB_CONCURRENCY") or "1"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        execute_from_command_line(["manage.py", "runserver", str(settings.PORT)])
    else:
        main()


if __name__ == "__main__":
    if "--or-runserver" in sys.argv:
        main_in_development()
    else:
        main()
