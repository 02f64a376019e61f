"""Values in a request that no row can hold."""

import functools
from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse


def refuse_malformed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Wrap a view of the admin: an id or a text that the database refuses is a 400, not a 500."""

    @functools.wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (ValidationError, DataError) as error:
            raise BadRequest("A value in the request is not valid.") from error

    return checked
