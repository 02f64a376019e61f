"""Says which server of `make services-test` does not answer, before any test runs."""

import os
import sys

import psycopg
import redis


def main() -> int:
    """Return 0 when PostgreSQL and Redis answer, else 1 with a message."""
    database, cache = os.environ["DATABASE_URL"], os.environ["REDIS_URL"]
    server = database.rpartition("/")[0] + "/postgres"
    try:
        psycopg.connect(server, connect_timeout=3).close()
    except psycopg.Error as error:
        sys.stderr.write(f"PostgreSQL does not answer at DATABASE_URL: {error}\n")
        return 1
    try:
        redis.Redis.from_url(cache, socket_connect_timeout=3, socket_timeout=3).ping()
    except redis.RedisError as error:
        sys.stderr.write(f"Redis does not answer at REDIS_URL: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
