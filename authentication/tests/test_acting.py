"""Every write on behalf of a session goes through `acting`."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from authentication import services
from authentication.view_modules.base import SignedInView

UNSAFE = ("post", "put", "patch", "delete")


def views(patterns: list[Any]) -> Iterator[type]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield getattr(pattern.callback, "cls", type(None))


def writes() -> dict[str, Any]:
    """Return the handlers of unsafe methods of views that need a session."""
    found = set(views(get_resolver().url_patterns))
    return {
        f"{view.__name__}.{method}": inspect.unwrap(getattr(view, method))
        for view in sorted(found, key=lambda it: it.__name__)
        for method in UNSAFE
        if issubclass(view, SignedInView) and hasattr(view, method)
    }


def calls_in(function: Any) -> list[ast.Call]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def service_calls(handler: Any) -> list[ast.Call]:
    calls = calls_in(handler)
    return [it for it in calls if ast.unparse(it.func).partition(".")[0].endswith("Service")]


def test_handlers_are_found() -> None:
    assert len(writes()) >= 17


@pytest.mark.parametrize("name", writes())
def test_every_writing_handler_uses_a_service_that_checks_the_session_again(
    name: str,
) -> None:
    calls = service_calls(writes()[name])

    assert calls
    for call in calls:
        given = [ast.unparse(it) for it in (*call.args, *(it.value for it in call.keywords))]
        assert "session_of(request)" in given, ast.unparse(call)
        service, _, method = ast.unparse(call.func).partition(".")
        assert acts(getattr(getattr(services, service), method)), ast.unparse(call)


def acts(function: Any, depth: int = 2) -> bool:
    """Return whether a function, or a helper of its module, opens `acting` on its session."""
    calls = {ast.unparse(it) for it in calls_in(function)}
    if any(
        it.startswith("acting(session") or ("spend(" in it and "session=session" in it)
        for it in calls
    ):
        return True
    helpers = [vars(inspect.getmodule(function)).get(it.partition("(")[0]) for it in calls]
    return depth > 0 and any(acts(it, depth - 1) for it in helpers if inspect.isfunction(it))
