"""Pages of the admin in the language of the member of staff who reads them."""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from authentication.utils.languages import follow_choice


def in_own_language(page: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Answer in the language of the profile of the signed-in user, else in the browser's."""

    @functools.wraps(page)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user: Any = request.user
        if user.is_authenticated:
            follow_choice(request.META, user.language)
        return page(request, *args, **kwargs)

    return answered
