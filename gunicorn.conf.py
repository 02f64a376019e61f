"""Gunicorn's settings; its command line overrides them."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

# The application divides the memory for password hashes by the same number.
os.environ.setdefault("WEB_CONCURRENCY", "2")

bind = f"0.0.0.0:{os.environ.get('PORT') or 8002}"
workers = int(os.environ["WEB_CONCURRENCY"])
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS") or 8)

# On SIGTERM accepted requests have this long to be answered. The platform must wait longer than
# this before it sends SIGKILL. Connections that are not accepted yet are reset, so the proxy must
# stop sending before SIGTERM (docs/operations.md).
graceful_timeout = 30
timeout = 60
keepalive = 5

# Bounds memory leaks; the jitter keeps processes from restarting at the same time.
max_requests = 20_000
max_requests_jitter = 2_000

# Threads and connections do not survive a fork, so each process makes its own.
preload_app = False
# In memory: the heartbeat file of a process must not wait for a disk.
_memory = Path("/dev/shm")  # noqa: S108 -- gunicorn picks the name of the file
worker_tmp_dir = str(_memory) if _memory.is_dir() else None
control_socket_disable = True


def folder_for_counters() -> str:
    """Return a new folder for this server in PROMETHEUS_MULTIPROC_DIR; on reload, the same one."""
    given = Path(
        os.environ.get("PROMETHEUS_MULTIPROC_DIR") or worker_tmp_dir or tempfile.gettempdir()
    )
    if given.name.startswith(f"metrics-of-{os.getpid()}-"):
        return str(given)
    # A server that replaces another (SIGUSR2) inherits the variable with the other's folder.
    parent = given.parent if given.name.startswith("metrics-of-") else given
    parent.mkdir(parents=True, exist_ok=True)
    return tempfile.mkdtemp(prefix=f"metrics-of-{os.getpid()}-", dir=parent)


# Each process keeps its counters in files here; /metrics adds them up.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder_for_counters()

limit_request_line = 8190
limit_request_field_size = 8190
limit_request_fields = 60

logger_class = "vineyard_group_fellowship.server.ServerLogger"
accesslog = "-"


def pre_fork(server: Any, worker: Any) -> None:
    """Give a process the lowest number that no running process has."""
    taken = {living.number for living in server.WORKERS.values()}
    worker.number = min(set(range(len(taken) + 1)) - taken)


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001 -- gunicorn's signature
    """Let a process continue the counters in the file of its number.

    By default each process has a new file. Processes are replaced after `max_requests`, so the
    files would grow in number, and every scrape reads them all.
    """
    from prometheus_client import values

    multi_process_value: Any = values.MultiProcessValue
    values.ValueClass = multi_process_value(lambda: worker.number)


def on_exit(server: Any) -> None:  # noqa: ARG001 -- as above
    """Delete the counters' files."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
