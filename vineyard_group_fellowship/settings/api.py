"""Django REST framework and the API's own description."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["authentication.bearer.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "authentication.parsers.JSONBodyParser",
        "authentication.parsers.FormBodyParser",
        "authentication.parsers.MultiPartBodyParser",
    ],
    "EXCEPTION_HANDLER": "vineyard_group_fellowship.problems.answer_for",
    "DEFAULT_SCHEMA_CLASS": "authentication.schema.ServiceSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Vineyard Group Fellowship: authentication",
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
        "authentication.schema.add_cookie_scheme",
    ],
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": False, "displayRequestDuration": True, "tryItOutEnabled": True},
    "TAGS": [
        {"name": "account", "description": "Becoming a member and proving an email address."},
        {"name": "sign-in", "description": "Signing in and out."},
        {"name": "second factor", "description": "Codes of an authenticator app, beside the password."},
        {"name": "tokens", "description": "Access tokens, refresh tokens and their exchange."},
        {"name": "password", "description": "Changing a password, and choosing a new one."},
        {"name": "sessions", "description": "The devices a person is signed in on."},
        {"name": "profile", "description": "What the service shows a person about themselves."},
        {"name": "operations", "description": "Is the service well?"},
    ],
}
