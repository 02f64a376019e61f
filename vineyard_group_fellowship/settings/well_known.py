"""What /.well-known/ tells: where to report a vulnerability, and where to change a password."""

import re

from .email import BACKEND_URL, SUPPORT_EMAIL, address, link
from .env import env

# A front end may lack such a page, so the default is the service's own.
PASSWORD_CHANGE_URL = link("PASSWORD_CHANGE_URL", f"{BACKEND_URL}/account/password/", "")


def contacts(name: str, default: str) -> list[str]:
    """Return a comma-separated list of URIs that RFC 9116 allows as contacts."""
    found = env.items(name, default)
    for contact in found:
        if not re.fullmatch(r"(https://|mailto:|tel:)[^\s,]+", contact):
            env.refuse(f"{name} must list mailto:, https:// or tel: addresses, not {contact!r}")
    return found


SECURITY_CONTACTS = contacts("SECURITY_CONTACTS", f"mailto:{SUPPORT_EMAIL}")
SECURITY_POLICY_URL = address("SECURITY_POLICY_URL")
SECURITY_LANGUAGES = env.matching(
    "SECURITY_LANGUAGES",
    "en",
    pattern=r"[A-Za-z][\w-]*(, ?[A-Za-z][\w-]*)*",
    wanted="a list of language tags such as en, de",
)
