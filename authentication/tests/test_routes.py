"""Every route has the access, the methods and the limits that routes.py lists."""

from typing import Any

from django.conf import settings
from django.test import Client
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.views import APIView

from authentication.api.bearer import BearerAuthentication

from .routes import ADMIN_ROUTES, ROUTES, routes, view_at

API_ROUTES = [route for route in ROUTES if route.startswith(("api/", "^api/"))]


def limit_of(view: Any, method: str) -> str | None:
    """Return the rate limit of a view's method; that of a page's POST is the page's own."""
    limit = getattr(getattr(view, method.lower()), "limit", None)
    if limit is not None:
        return str(limit)
    return getattr(view, "limit", None) if method == "POST" else None


def admin_path(route: str) -> str:
    """Return a path that leads to a route of the admin."""
    path = f"/{route}"
    for mark, value in {
        "<path:content_type_id>": "1",
        "<path:object_id>": "1",
        "<uuid:user_id>": "0c5ad2c5-0f9e-4a53-a4c5-2b4d6cbf8f10",
        "<slug:name>": "unlock",
        "^(?P<app_label>authentication|auth)/$": "auth/",
        "(?P<url>.*)$": "nothing/",
    }.items():
        path = path.replace(mark, value)
    return path


def test_every_route_is_listed() -> None:
    assert routes().keys() == ROUTES.keys() | ADMIN_ROUTES.keys()


def test_every_api_view_asks_for_the_authentication_listed() -> None:
    guards = {"public": ([], [AllowAny]), "bearer": ([BearerAuthentication], [IsAuthenticated])}
    wrong = {}
    for route in API_ROUTES:
        view = view_at(route)
        assert issubclass(view, APIView), route
        guard = list(view.authentication_classes), list(view.permission_classes)
        if guard != guards[ROUTES[route].who]:
            wrong[route] = guard

    assert len(API_ROUTES) > 30
    assert wrong == {}


def test_every_route_takes_exactly_the_methods_listed() -> None:
    def methods(route: str) -> set[str]:
        view = view_at(route)
        return {it.upper() for it in view.http_method_names if hasattr(view, it)}

    taken = {route: methods(route) - {"HEAD", "OPTIONS"} for route in ROUTES}

    assert {route: it for route, it in taken.items() if it != ROUTES[route].limits.keys()} == {}


def test_every_method_has_the_limit_listed() -> None:
    limits = {
        route: {it: limit_of(view_at(route), it) for it in access.limits}
        for route, access in ROUTES.items()
    }

    assert {route: it for route, it in limits.items() if it != ROUTES[route].limits} == {}


def test_every_limit_of_the_settings_is_used_and_set() -> None:
    used = {limit for access in ROUTES.values() for limit in access.limits.values() if limit}

    # Refused registrations have a limit of their own, and so have pages of the admin.
    staff = {"staff_search", "staff_invite", "staff_import", "staff_proof"}
    assert used | staff | {"register_malformed"} == settings.RATE_LIMITS.keys()


def test_the_admin_redirects_every_request_without_its_session() -> None:
    def outcome(route: str) -> tuple[int, bool]:
        path, client = admin_path(route), Client()
        answer: Any = client.post(path) if path == "/admin/logout/" else client.get(path)
        return answer.status_code, answer.get("Location", "/admin/").startswith("/admin/")

    found = {route: outcome(route) for route in ADMIN_ROUTES}

    statuses = {"admin session": 302, "enrolment": 302, "public": 200}
    assert {
        route: it for route, it in found.items() if it != (statuses[ADMIN_ROUTES[route]], True)
    } == {}
