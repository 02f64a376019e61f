"""Gunicorn's settings; its command line overrides them.

A thread of gunicorn waits for slow clients, so it needs a proxy in front that buffers requests
(docs/operations.md). serve.py starts a server that needs none.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from authentication.utils.counters import VARIABLE, count_as, folder_for_counters
from vineyard_group_fellowship import env_file
from vineyard_group_fellowship.server.limits import DRAIN_SECONDS, MAX_FIELD, MAX_FIELDS, MAX_LINE

# Not the settings: a reload would keep the code that this process has imported. They refuse what is
# wrong with the file.
env_file.load()
# The application divides the memory for password hashes by the same number.
os.environ["WEB_CONCURRENCY"] = os.environ.get("WEB_CONCURRENCY") or "2"

bind = f"0.0.0.0:{os.environ.get('PORT') or 8002}"
workers = int(os.environ["WEB_CONCURRENCY"])
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS") or 8)

# The platform must wait longer than this before it sends SIGKILL. Connections that are not accepted
# yet are reset, so the proxy must stop sending before SIGTERM.
graceful_timeout = DRAIN_SECONDS
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

# Each process keeps its counters in files here; /metrics adds them up.
os.environ[VARIABLE] = folder_for_counters(os.environ.get(VARIABLE))

limit_request_line = MAX_LINE
limit_request_field_size = MAX_FIELD
limit_request_fields = MAX_FIELDS

logger_class = "vineyard_group_fellowship.server.gunicorn.ServerLogger"
accesslog = "-"


def pre_fork(server: Any, worker: Any) -> None:
    """Give a process the lowest number that no running process has."""
    taken = {living.number for living in server.WORKERS.values()}
    worker.number = min(set(range(len(taken) + 1)) - taken)


def post_fork(server: Any, worker: Any) -> None:  # noqa: ARG001 -- gunicorn's signature
    """Let a process continue the counters in the file of its number."""
    count_as(worker.number)


def on_exit(server: Any) -> None:  # noqa: ARG001 -- as above
    """Delete the counters' files."""
    shutil.rmtree(os.environ[VARIABLE], ignore_errors=True)
