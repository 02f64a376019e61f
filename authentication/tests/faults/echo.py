"""A WSGI application that answers with its environ, for a server of either kind."""

import json
from typing import Any

from serve import main
from vineyard_group_fellowship.server.adapter import WsgiAdapter


def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer with the texts of the environ, and with the body."""
    texts = {name: value for name, value in environ.items() if isinstance(value, str)}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    answer = json.dumps({**texts, "body": body.decode("latin-1")}).encode()
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
    )
    return [answer]


adapter = WsgiAdapter(application, threads=2, body_limit=65_536)

if __name__ == "__main__":
    main("authentication.tests.faults.echo:adapter")
