"""Refuses requests that the web server did not receive whole."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from vineyard_group_fellowship.problems import problem_for_status, render
from vineyard_group_fellowship.server.environ import REFUSAL_KEY


class RefusalMiddleware:
    """Answers the status that the server noted, such as 413, before anything reads the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if status := request.META.get(REFUSAL_KEY):
            return render(problem_for_status(status), request)
        return self.get_response(request)
