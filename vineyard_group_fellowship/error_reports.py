"""Error reports and traces, where somebody wants them: where a fault is, never whose request it was."""

from typing import Any

from structlog.contextvars import get_contextvars

UNKNOWN_PATH = "unknown path"

# What is not named here stays here: the library adds parts with every release, and each may quote a
# request.
_PARTS = {
    *(
        "event_id",
        "type",
        "platform",
        "level",
        "timestamp",
        "start_timestamp",
        "environment",
        "release",
        "server_name",
    ),
    *(
        "sdk",
        "exception",
        "transaction",
        "transaction_info",
        "contexts",
        "spans",
        "request",
        "tags",
    ),
}
_ERROR_PARTS = {"type", "module", "stacktrace", "thread_id"}
_FRAME_PARTS = {
    *("filename", "abs_path", "function", "module", "lineno", "in_app"),
    *("pre_context", "context_line", "post_context"),
}
_SPAN_PARTS = {
    "span_id",
    "parent_span_id",
    "trace_id",
    "op",
    "origin",
    "status",
    "timestamp",
    "start_timestamp",
}
_TRACE_DATA = {"thread.id", "thread.name", "http.request.method", "http.response.status_code"}
# The operations whose descriptions are words of the code's: statements without their parameters,
# names of functions.
_OF_THE_CODE = {"db", "queue", "function", "view", "template", "event", "middleware"}
# Those whose first word is a command or a method, and whose others quote keys and addresses.
_COMMANDS = {"db.redis", "http.client"}


def error_without_people(event: Any, hint: Any) -> Any:  # noqa: ARG001 -- Sentry's signature
    """Leave of an error its class and its place in the code, and the name by which the log has the rest."""
    if event.get("level") == "info":
        return None
    for error in event.get("exception", {}).get("values", []):
        _keep(error, _ERROR_PARTS)
        for frame in (error.get("stacktrace") or {}).get("frames", []):
            _keep(frame, _FRAME_PARTS)
    return _scrubbed(event)


def trace_without_people(event: Any, hint: Any) -> Any:  # noqa: ARG001 -- Sentry's signature
    """Leave of a trace which route or task took how long, and in which of our own words."""
    for span in event.get("spans", []):
        said = _said(span)
        _keep(span, _SPAN_PARTS)
        span["description"] = said
    return _scrubbed(event)


def _scrubbed(event: Any) -> Any:
    _keep(event, _PARTS)
    if (event.get("transaction_info") or {}).get("source") == "url":
        # No route fits it: the name is the path as the client wrote it.
        event["transaction"] = UNKNOWN_PATH
    if "request" in event:
        _keep(event["request"], {"method"})
    event["contexts"] = _contexts(event.get("contexts", {}))
    correlation_id = get_contextvars().get("correlation_id")
    event["tags"] = {"correlation_id": correlation_id} if correlation_id else {}
    return event


def _contexts(found: dict[str, Any]) -> dict[str, Any]:
    kept = _kept(found, {"runtime", "profile"})
    if "trace" in found:
        trace = found["trace"]
        kept["trace"] = {
            **_kept(trace, _SPAN_PARTS),
            "data": _kept(trace.get("data") or {}, _TRACE_DATA),
        }
    return kept


def _said(span: dict[str, Any]) -> str:
    operation, said = str(span.get("op", "")), str(span.get("description") or "")
    if operation in _COMMANDS:
        return said.partition(" ")[0]
    return said if operation.partition(".")[0] in _OF_THE_CODE else ""


def _keep(part: dict[str, Any], names: set[str]) -> None:
    for name in part.keys() - names:
        del part[name]


def _kept(part: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name in names}
