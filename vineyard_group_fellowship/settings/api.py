"""Django REST framework and the API's own description."""

from .email import BACKEND_URL

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["authentication.api.bearer.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "authentication.api.parsers.JSONBodyParser",
        "authentication.api.parsers.FormBodyParser",
        "authentication.api.parsers.MultiPartBodyParser",
    ],
    "EXCEPTION_HANDLER": "vineyard_group_fellowship.problems.answer_for",
    "DEFAULT_SCHEMA_CLASS": "authentication.api.schema.ServiceSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

_INTRODUCTION = """
Bodies are JSON; form fields (urlencoded or multipart) are accepted as well.

# Browsers and apps

A request with `Origin` or `Sec-Fetch-Site` is treated as a browser's, any other as an app's.

- A **browser** gets its refresh token only in an httpOnly cookie, so it must send requests with
  credentials. Requests that change something need proof that a trusted page sent them: the same
  origin, an origin listed in the settings, or the token of `csrf/` in `X-CSRFToken`.
- An **app** gets the refresh token in the body as `refresh`, sends it in the body, and needs no
  such proof.

# Tokens

Send `access` (also called `access_token`) as `Authorization: Bearer …`; it lives for `expires_in`
seconds. On a 401 call `token/refresh/` once and repeat the request; another 401 means that the
session has ended. A refresh token works once: keep the new one. Tabs that refresh at the same
moment get the same successor.

# Signing in

The right password may be answered with a 403, and its `code` says what is missing:
`email_not_verified` (offer `email/resend/`), `mfa_required` (send `mfa_token` and a code to
`2fa/verify/`), `consent_required` (show `documents`, then sign in with `terms_accepted` and
`privacy_policy_accepted`), `account_deletion_pending` (ask, then sign in with `restore`). Some
actions need a recent proof of identity: on `reauthentication_required` ask for the password, or for
a code if the account has a second factor, send it to `reauthenticate/`, and repeat the request.

# Errors

Errors are `application/problem+json` (RFC 9457). Decide by `status` and `code`, show `detail`, put
`errors` beside their fields, and give `correlation_id` to support. `/api/problems/` lists the
codes, `/api/problems/{code}/` explains one. In addition to the errors listed, every operation can
answer 500 `server_error` and 503 `service_unavailable`, 408 `request_timeout` if its body takes
longer than ten seconds to arrive, and a wrong method or path 405 `method_not_allowed` and 404
`not_found`.

# Limits

Rate-limited answers carry `RateLimit` and `RateLimit-Policy`; a 429, a 503 and `account_locked`
give the seconds to wait in `Retry-After`.
"""

SPECTACULAR_SETTINGS = {
    "TITLE": "Vineyard Group Fellowship: authentication",
    "DESCRIPTION": _INTRODUCTION.strip(),
    "VERSION": "1.0.0",
    "LICENSE": {"name": "MIT", "url": "https://opensource.org/license/mit"},
    "SERVERS": [
        {"url": BACKEND_URL, "description": "The service"},
        {"url": "/", "description": "The host of this document"},
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    # Generated clients name their types so.
    "ENUM_NAME_OVERRIDES": {
        "ConsentDocument": "authentication.serializers.consents.DOCUMENTS",
        "ExportStatus": "authentication.serializers.export.STATES",
        "HealthStatus": "authentication.serializers.health.STATES",
        "Visibility": "authentication.serializers.profiles.VISIBILITIES",
        "ProfileVisibility": "authentication.serializers.profiles.PROFILE_VISIBILITIES",
        "AcceptedVisibility": "authentication.serializers.profiles.ACCEPTED_VISIBILITIES",
    },
    "SORT_OPERATIONS": False,
    # A UUID in either case (url_modules/converters.py).
    "PATH_CONVERTER_OVERRIDES": {"id": {"type": "string", "format": "uuid"}},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "authentication.api.schema.finish",
    ],
    "SWAGGER_UI_SETTINGS": {
        "persistAuthorization": False,
        "displayRequestDuration": True,
        "tryItOutEnabled": True,
    },
    "TAGS": [
        {
            "name": "account",
            "description": "Registering, verifying an email address, changing it.",
        },
        {"name": "sign-in", "description": "Signing in and out."},
        {
            "name": "second factor",
            "description": "Codes of an authenticator app, in addition to the password.",
        },
        {"name": "tokens", "description": "Access tokens, refresh tokens and their exchange."},
        {"name": "password", "description": "Changing and resetting a password."},
        {"name": "sessions", "description": "The devices on which a user is signed in."},
        {
            "name": "activity",
            "description": "What happened to an account, and reporting what the user did not do.",
        },
        {
            "name": "personal data",
            "description": "Consents, optional mails, a copy of the data, deletion.",
        },
        {"name": "profile", "description": "The user's own profile."},
        {"name": "operations", "description": "Health checks."},
    ],
}
