"""The OpenAPI description of the API."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.views import SpectacularAPIView

from authentication.utils.languages import speak


class DescriptionView(SpectacularAPIView):
    """The description, in English: it is for developers, and the same for all of them."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        speak("en")
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer
