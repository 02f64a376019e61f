"""What the web servers bound: connections, sizes and times."""

import resource

HEADER_SECONDS = 5
"""How long a client may take for a request's headers, and how long an idle connection is kept."""

BODY_SECONDS = 10
"""How long a client may take for a request's body."""

DRAIN_SECONDS = 30
"""After SIGTERM, how long accepted requests may take to be answered."""

MAX_LINE = MAX_FIELD = 8190
"""Bytes of a request line, and of one header field (name and value)."""

MAX_FIELDS = 60
MAX_HEAD = 32 * 1024
"""Bytes of a request line and its header fields together."""

# Files that are no client's connection: the database, Redis, the broker, logs, libraries.
_OWN_FILES = 256
_MAX_CONNECTIONS = 4096


def connections() -> int:
    """Return how many connections a process accepts at a time; further ones wait in the backlog.

    Each is an open file. A process that may open no more files could not answer the connections
    that it has.
    """
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return min(max(files - _OWN_FILES, files // 2), _MAX_CONNECTIONS)
