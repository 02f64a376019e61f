"""A Redis of a test's own, whose state can be changed."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis

from . import rig


class RedisServer:
    """A Redis server with an address; `client` speaks to it directly."""

    def __init__(self, port: int) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self.client: Any = redis.Redis(port=port)

    def is_up(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self.client.ping())
        return False


@contextlib.contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    """Lend a Redis server that keeps nothing; it has ended when the context has."""
    program = shutil.which("redis-server")
    assert program, "Redis is not installed (Debian: apt-get install redis-server)."
    port = rig.free_port()
    command = [program, "--port", str(port), "--save", "", "--dir", str(folder), *options]
    with (folder / "redis.log").open("wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 -- our own
    try:
        server = RedisServer(port)
        rig.until(server.is_up, what="Redis")
        yield server
    finally:
        running.kill()
        running.wait()
