"""Queries per request, and their duration."""

import collections
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

logger = structlog.get_logger(__name__)

_REPEATED = 2


class _Recorder:
    """A database instrumentation wrapper that keeps statements, without parameters."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.statements: list[str] = []

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,  # noqa: FBT001 -- Django's signature
        context: Any,
    ) -> Any:
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds += time.perf_counter() - start
            self.statements.append(sql)


class DatabaseQueryMonitoringMiddleware:
    """Logs requests over the query budget, with repeated queries; may set `Server-Timing`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        recorder = _Recorder()
        with connection.execute_wrapper(recorder):
            response = self.get_response(request)
        count = len(recorder.statements)
        if settings.SERVER_TIMING:
            response["Server-Timing"] = (
                f'db;dur={recorder.seconds * 1000:.1f};desc="{count} queries"'
            )
        if count > settings.QUERY_BUDGET:
            repeated = [
                {"sql": sql, "times": times}
                for sql, times in collections.Counter(recorder.statements).most_common(5)
                if times >= _REPEATED
            ]
            logger.warning(
                "query_budget_exceeded",
                path=request.path,
                queries=count,
                milliseconds=round(recorder.seconds * 1000, 1),
                repeated=repeated,
            )
        return response
