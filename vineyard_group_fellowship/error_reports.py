"""Removes personal data from error reports and traces before they go to Sentry."""

from typing import Any

from structlog.contextvars import get_contextvars

UNKNOWN_PATH = "unknown path"

# An allowlist: the library adds parts with every release, and each may quote a request.
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
# Operations with descriptions that come from the code: statements without parameters, function
# names.
_FROM_CODE = {"db", "queue", "function", "view", "template", "event", "middleware"}
# Operations with a command or method as first word; the others quote keys and addresses.
_COMMANDS = {"db.redis", "http.client"}


def scrub_error(event: Any, hint: Any) -> Any:  # noqa: ARG001 -- Sentry's signature
    """Keep an error's class and place in the code, and the correlation id to find it in the log."""
    if event.get("level") == "info":
        return None
    for error in event.get("exception", {}).get("values", []):
        _keep(error, _ERROR_PARTS)
        for frame in (error.get("stacktrace") or {}).get("frames", []):
            _keep(frame, _FRAME_PARTS)
    return _scrubbed(event)


def scrub_trace(event: Any, hint: Any) -> Any:  # noqa: ARG001 -- Sentry's signature
    """Keep a trace's route or task, its times, and the descriptions that come from the code."""
    for span in event.get("spans", []):
        description = _description_of(span)
        _keep(span, _SPAN_PARTS)
        span["description"] = description
    return _scrubbed(event)


def _scrubbed(event: Any) -> Any:
    _keep(event, _PARTS)
    if (event.get("transaction_info") or {}).get("source") == "url":
        # Without a matching route the name is the path that the client sent.
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


def _description_of(span: dict[str, Any]) -> str:
    operation, text = str(span.get("op", "")), str(span.get("description") or "")
    if operation in _COMMANDS:
        return text.partition(" ")[0]
    return text if operation.partition(".")[0] in _FROM_CODE else ""


def _keep(part: dict[str, Any], names: set[str]) -> None:
    for name in part.keys() - names:
        del part[name]


def _kept(part: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name in names}
