"""The name and the mark of the community, and the language, for every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from authentication.utils.languages import current


def community(_request: HttpRequest) -> dict[str, Any]:
    """Return what every page has: its language, and the community at its top. A context processor.

    The page of an unexpected error uses it as well, so it asks nothing that can fail.
    """
    # A path that begins with a slash is a URL of this origin already.
    logo: str = settings.SITE_LOGO
    url = logo if logo.startswith("/") else settings.STATIC_URL + logo
    return {
        "community": {"name": settings.SITE_NAME, "logo": url},
        "LANGUAGE_CODE": current(),
    }
