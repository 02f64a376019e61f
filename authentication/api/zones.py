"""Pages whose times are in the time zone of the person who reads them."""

import functools
import zoneinfo
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone

from authentication.services import ProfileService

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer", bound=HttpResponseBase)


def in_own_zone(page: Callable[_Given, _Answer]) -> Callable[_Given, _Answer]:
    """Render a page in the time zone of the profile of the signed-in user."""

    @functools.wraps(page)
    def rendered(*args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
        request: HttpRequest = next(it for it in args if isinstance(it, HttpRequest))
        with timezone.override(_zone(request)):
            response = page(*args, **kwargs)
            if isinstance(response, TemplateResponse):
                response.render()
            return response

    return rendered


def _zone(request: HttpRequest) -> zoneinfo.ZoneInfo:
    user_id = request.user.pk
    try:
        return zoneinfo.ZoneInfo(ProfileService.timezone_of(user_id) if user_id else "UTC")
    except zoneinfo.ZoneInfoNotFoundError:
        # The name was known when it was stored; the machine's data may be older.
        return zoneinfo.ZoneInfo("UTC")
