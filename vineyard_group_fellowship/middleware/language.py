"""The language of an answer."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from authentication.utils.client import cookie_values
from authentication.utils.cookies import clear_language_cookie, set_language_cookie
from authentication.utils.languages import CHOSEN_KEY, current, offered, requested, speak

from .errors import API


class LanguageMiddleware:
    """Speaks the language that the client asks for; authentication may change it to the person's.

    Django's LocaleMiddleware would read the cookies of every request, and look for a language in
    its path. Here the API reads the header alone. Pages, which do not know the person, also read
    the cookie that notes the person's choice.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(settings.STATIC_URL):
            return self.get_response(request)
        is_api = request.path_info.startswith(API)
        speak(_of_api(request) if is_api else _of_page(request))
        try:
            response = self.get_response(request)
        finally:
            language = current()
            # Django takes longer to find out that no language is active than to activate one.
            if language != settings.LANGUAGE_CODE:
                speak(settings.LANGUAGE_CODE)
        response.headers["Content-Language"] = language
        _vary(response, is_api=is_api)
        if request.META.get("HTTP_SEC_FETCH_SITE") == "same-origin":
            _note_choice(request, response)
        return response


def _of_api(request: HttpRequest) -> str:
    return requested(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))


def _of_page(request: HttpRequest) -> str:
    chosen = offered(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""))
    return chosen or _of_api(request)


def _vary(response: HttpResponse, *, is_api: bool) -> None:
    if not is_api:
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return
    varied = response.headers.get("Vary")
    response.headers["Vary"] = f"{varied}, Accept-Language" if varied else "Accept-Language"


def _note_choice(request: HttpRequest, response: HttpResponse) -> None:
    """Tell the pages of a browser which language its person has chosen in the profile."""
    chosen = request.META.get(CHOSEN_KEY)
    if chosen is None:
        return
    noted = cookie_values(request, settings.LANGUAGE_COOKIE_NAME)
    if not chosen and noted:
        clear_language_cookie(response)
    elif chosen and noted != (chosen,):
        set_language_cookie(response, chosen)
