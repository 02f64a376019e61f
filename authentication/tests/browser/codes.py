"""The codes of an authenticator app."""

import base64
import time

from django_otp.oath import TOTP


def code_of(secret: str, *, ahead: int = 0) -> str:
    """Return the code that an app shows now for a secret in base32, or some steps later.

    A code works once: the next sign-in within half a minute needs that of the next step.
    """
    app = TOTP(base64.b32decode(secret))
    app.time = time.time() + 30 * ahead
    return f"{app.token():06d}"
