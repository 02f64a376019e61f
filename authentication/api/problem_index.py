"""Writes docs/problems.md: the codes of errors, what each means, and what a client does."""

import sys
from collections.abc import Iterator

from authentication.exceptions import Problem

from .problem_schema import problem_kinds

# What a client does, by code and status.
ADVICE = {
    ("account_deletion_pending", 403): "Ask, then sign in again with `restore`.",
    ("account_disabled", 403): "Show `detail`; only staff can help.",
    ("account_locked", 403): "Show `detail`, offer a password reset, wait `Retry-After` seconds.",
    ("code_invalid", 401): "Ask for the next code. Do not refresh.",
    ("consent_required", 403): "Show `documents`, then sign in again with the consents.",
    ("csrf_failed", 403): "List the page's origin in the settings, or send `X-CSRFToken`.",
    ("email_not_verified", 403): "Offer `email/resend/` and `email/correct/`.",
    ("invalid_credentials", 401): "Show `detail`. Do not refresh.",
    ("method_not_allowed", 405): "Mend the client; `Allow` lists the methods.",
    ("mfa_required", 403): "Ask for a code, send it with `mfa_token` to `2fa/verify/`.",
    ("not_acceptable", 406): "Mend the client: accept `application/json`.",
    ("not_found", 404): "Load the list again: it may have ended meanwhile.",
    ("payload_too_large", 413): "Mend the client: no body needs 64 KiB.",
    ("permission_denied", 403): "Show `detail`.",
    ("rate_limited", 429): "Wait `Retry-After` seconds. The session goes on.",
    ("reauthentication_required", 403): "Ask for a proof, `reauthenticate/`, then repeat.",
    ("request_timeout", 408): "Repeat the request.",
    ("server_error", 500): "Show `detail` and `correlation_id`. The session goes on.",
    ("service_unavailable", 503): "Repeat after `Retry-After` seconds. The session goes on.",
    ("token_invalid", 400): "Offer a new link.",
    ("token_invalid", 401): "Refresh once and repeat; another one means: sign in.",
    ("unsupported_media_type", 415): "Mend the client: send JSON.",
    ("validation_error", 400): "Put the messages of `errors` beside their fields.",
}

_HEAD = """\
# Problem codes

`make openapi` writes this page from `authentication/exceptions.py`. The service tells the same at
`/api/problems/`. Errors are `application/problem+json` (RFC 9457); decide by `status` and `code`.
More codes may come: treat one that you do not know by its status.

| code | status | meaning | what a client does |
| --- | --- | --- | --- |
"""


def markdown() -> str:
    """Return the page."""
    return _HEAD + "".join(_rows())


def _rows() -> Iterator[str]:
    first: dict[tuple[str, int], type[Problem]] = {}
    for kind in problem_kinds()[1:]:  # The first is the base of all.
        first.setdefault((kind.code, kind.status), kind)
    for (code, status), kind in sorted(first.items()):
        meaning = str(kind.__doc__).partition("\n")[0]
        yield f"| `{code}` | {status} | {meaning} | {ADVICE[code, status]} |\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
