"""The server: processes and threads as the environment says, a drain before the end, no query string in any log.

Everything here can be overridden on gunicorn's command line.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

# The application divides the memory for password hashes by the same number.
os.environ.setdefault("WEB_CONCURRENCY", "2")

bind = f"0.0.0.0:{os.environ.get('PORT') or 8002}"
workers = int(os.environ["WEB_CONCURRENCY"])
worker_class = "vineyard_group_fellowship.server.DrainingWorker"
threads = int(os.environ.get("WEB_THREADS") or 8)

# On SIGTERM no more connections are taken, and those that are have this long to be answered.
# Whoever starts the server must wait at least as long before it kills it.
graceful_timeout = 30
timeout = 60
keepalive = 5

# Whatever leaks, leaks for a while only; not all processes at once.
max_requests = 20_000
max_requests_jitter = 2_000

# Threads and connections do not survive a fork: each process makes its own.
preload_app = False
# The heartbeat file of a process must not wait for a disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 -- memory, and gunicorn picks the name
control_socket_disable = True


def folder_for_counters() -> str:
    """Return a new folder of this server's own, in PROMETHEUS_MULTIPROC_DIR if that is set; the same at a reload."""
    told = Path(
        os.environ.get("PROMETHEUS_MULTIPROC_DIR") or worker_tmp_dir or tempfile.gettempdir()
    )
    if told.name.startswith(f"metrics-of-{os.getpid()}-"):
        return str(told)
    # A server that takes another's place (SIGUSR2) is told that one's folder.
    parent = told.parent if told.name.startswith("metrics-of-") else told
    parent.mkdir(parents=True, exist_ok=True)
    return tempfile.mkdtemp(prefix=f"metrics-of-{os.getpid()}-", dir=parent)


# Each process keeps its counters in files here, and /metrics adds them up.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder_for_counters()

limit_request_line = 8190
limit_request_field_size = 8190
limit_request_fields = 60

logger_class = "vineyard_group_fellowship.server.ServerLogger"
accesslog = "-"


def pre_fork(server: Any, worker: Any) -> None:
    """Give a process the lowest number that no living one has."""
    taken = {living.number for living in server.WORKERS.values()}
    worker.number = min(set(range(len(taken) + 1)) - taken)


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001 -- gunicorn's signature
    """Let a process count on in the file of its number.

    By default there is a file for each process that ever was: with processes that are replaced
    after so many requests they grow in number, and every scrape reads them all.
    """
    from prometheus_client import values

    values.ValueClass = values.MultiProcessValue(lambda: worker.number)  # type: ignore[no-untyped-call]  # no types


def on_exit(server: Any) -> None:  # noqa: ARG001 -- as above
    """Take the counters' files away."""
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
