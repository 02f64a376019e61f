"""Django REST framework and the API's own description."""

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
Bodies are JSON; the fields of a form (urlencoded or multipart) are read as well.

# Browsers and apps

A request with `Origin` or a `Sec-Fetch-*` header is a browser's, anything else an app's.

- A **browser** gets its refresh token in an httpOnly cookie alone, so it sends its requests with credentials. What
  changes something needs a proof that a page of ours sent it: the same origin, one listed in the
  settings, or the token of `csrf/` in `X-CSRFToken`.
- An **app** gets the refresh token in the body as `refresh`, sends it in the body, and needs no such proof.

# Tokens

`access` (also called `access_token`) goes into `Authorization: Bearer …` and lives for `expires_in`
seconds. On a 401 call `token/refresh/` once and repeat the request; another 401 means that the
session is over. A refresh token is good once: keep the new one. Tabs that refresh at the same
moment get the same successor.

# Signing in

The right password may be answered with a 403 whose `code` says what is missing:
`email_not_verified` (offer `email/resend/`), `mfa_required` (send `mfa_token` and a code to
`2fa/verify/`), `consent_required` (show `documents`, then sign in with `terms_accepted` and
`privacy_policy_accepted`), `account_deletion_pending` (ask, then sign in with `restore`). Some acts
want a recent proof of who one is: on `reauthentication_required` ask for the password, or for a
code where there is a second factor, send it to `reauthenticate/`, and repeat.

# Errors

Each is an `application/problem+json` (RFC 9457). Decide by `status` and `code`, show `detail`, put
`errors` beside their fields, and tell `correlation_id` to support. `/api/problems/{code}/` says
what a code means. Beside what an operation lists, any can answer 500 `server_error` and 503
`service_unavailable`, and a wrong method or address 405 `method_not_allowed` and 404 `not_found`.

# Limits

Answers that are counted carry `RateLimit` and `RateLimit-Policy`; a 429, a 503 and `account_locked`
say in `Retry-After` how many seconds to wait.
"""

SPECTACULAR_SETTINGS = {
    "TITLE": "Vineyard Group Fellowship: authentication",
    "DESCRIPTION": _INTRODUCTION.strip(),
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SORT_OPERATIONS": False,
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
            "description": "Becoming a member, proving an email address, moving to another.",
        },
        {"name": "sign-in", "description": "Signing in and out."},
        {
            "name": "second factor",
            "description": "Codes of an authenticator app, beside the password.",
        },
        {"name": "tokens", "description": "Access tokens, refresh tokens and their exchange."},
        {"name": "password", "description": "Changing a password, and choosing a new one."},
        {"name": "sessions", "description": "The devices a person is signed in on."},
        {
            "name": "activity",
            "description": "What happened to an account, and saying that it was somebody else.",
        },
        {
            "name": "personal data",
            "description": "What one agreed to, one's mails, a copy of it all, leaving.",
        },
        {"name": "profile", "description": "What the service shows a person about themselves."},
        {"name": "operations", "description": "Is the service well?"},
    ],
}
