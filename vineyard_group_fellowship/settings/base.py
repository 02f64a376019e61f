"""What all environments share: applications, middleware, caches."""

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from vineyard_group_fellowship.redis_connections import name_on_tls, replace_cut_connection

from .env import env

BASE_DIR = Path(__file__).resolve().parents[2]


def environment() -> str:
    """Return the environment of DJANGO_SETTINGS_MODULE if it names one, else DJANGO_ENVIRONMENT."""
    named = env.text("DJANGO_SETTINGS_MODULE").rpartition(".")[2]
    chosen = env.choice("DJANGO_ENVIRONMENT", "development", ("development", "production", "test"))
    return {"local": "development", "production": "production", "test": "test"}.get(named, chosen)


ENVIRONMENT = environment()
# Tests must not depend on the .env of the machine they run on.
if ENVIRONMENT != "test":
    env.read_file(BASE_DIR / ".env")
    ENVIRONMENT = environment()
if ENVIRONMENT == "production":
    # Production collects all refusals and reports them together.
    env.refusals = []

# Names in the .env file that no setting reads. The modules of the environments fill it last.
UNKNOWN_SETTINGS: list[str] = []
PORT = env.integer("PORT", 8002, low=1, high=65535)

INSTALLED_APPS = [
    # Before staticfiles, so that `runserver` is our command.
    "authentication.apps.AuthenticationConfig",
    "authentication.apps.ServiceAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "csp",
    "django_otp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

# The specification's order. Others stand where their own documentation puts them.
MIDDLEWARE = [
    "vineyard_group_fellowship.middleware.correlation.CorrelationIdMiddleware",
    "vineyard_group_fellowship.middleware.language.LanguageMiddleware",
    "vineyard_group_fellowship.middleware.errors.ErrorFormatMiddleware",
    "vineyard_group_fellowship.middleware.performance.PerformanceMonitoringMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "vineyard_group_fellowship.middleware.headers.SecurityHeadersMiddleware",
    "vineyard_group_fellowship.middleware.refusals.RefusalMiddleware",
    "vineyard_group_fellowship.middleware.pages.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "vineyard_group_fellowship.middleware.bodies.WholeBodyMiddleware",
    "vineyard_group_fellowship.middleware.origin.OriginProofMiddleware",
    "vineyard_group_fellowship.middleware.pages.AuthenticationMiddleware",
    "vineyard_group_fellowship.middleware.second_factor.SecondFactorMiddleware",
    "vineyard_group_fellowship.middleware.pages.MessageMiddleware",
    "vineyard_group_fellowship.middleware.errors.ErrorHandlingMiddleware",
    "vineyard_group_fellowship.middleware.queries.DatabaseQueryMonitoringMiddleware",
]

ROOT_URLCONF = "vineyard_group_fellowship.urls"
WSGI_APPLICATION = "vineyard_group_fellowship.wsgi.application"
ASGI_APPLICATION = "vineyard_group_fellowship.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "authentication.view_modules.community.community",
            ],
        },
    },
]

# The languages of locale/, each in its own words. English is written in the code.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
# For clients that ask for none of them.
LANGUAGE_CODE = env.choice("LANGUAGE_CODE", "en", tuple(dict(LANGUAGES)))
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
TIME_ZONE = "UTC"
USE_TZ = True

# What the pages show at the top.
SITE_NAME = env.text("SITE_NAME", "Vineyard Group Fellowship")
SITE_LOGO = env.matching(
    "SITE_LOGO",
    "account/favicon.svg",
    pattern=r"(/(?!/))?[\w.-][\w./-]*",
    wanted="the path of a static file, or a path of this origin that starts with a slash",
)

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_CACHES = "vineyard_group_fellowship.cache"

SLOW_REQUEST_SECONDS = env.decimal("SLOW_REQUEST_SECONDS", 1.0)
SERVER_TIMING = env.boolean("SERVER_TIMING", default=ENVIRONMENT == "development")
QUERY_BUDGET = env.integer("QUERY_BUDGET", 25, low=1)


def redis_url() -> str:
    """Return REDIS_URL, with REDIS_PASSWORD if the URL has none; empty without Redis."""
    url = env.matching(
        "REDIS_URL",
        "",
        pattern=r"(rediss?|unix)://.+",
        wanted="a redis:// address",
        secret=True,
    )
    return with_redis_password(url)


def with_redis_password(url: str) -> str:
    """Return a Redis URL with REDIS_PASSWORD if it has none; a user in it stays."""
    password, parts = env.text("REDIS_PASSWORD"), urlsplit(url)
    if not password or parts.password or parts.scheme not in {"redis", "rediss", "unix"}:
        return url
    user, _, host = parts.netloc.rpartition("@")
    secret = f"{user.removesuffix(':')}:{quote(password, safe='')}"
    return parts._replace(netloc=f"{secret}@{host}").geturl()


def caches(url: str) -> dict[str, Any]:
    """Return the caches: `default` for shared values, two for counters.

    `ratelimit` is django-ratelimit's, `limits` that of the others. Both go on counting in the
    process's memory while Redis fails.
    """
    local = {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
    # Without a Redis both are in this process's memory.
    counting = {
        "limits": {"BACKEND": f"{_CACHES}.FailoverCache", "LOCATION": "default"},
        "ratelimit": {"BACKEND": f"{_CACHES}.RateLimitCache", "LOCATION": "default"},
    }
    if not url:
        return {"default": {**local, "LOCATION": "default"}, **counting}
    shared = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "vgf",
        "OPTIONS": {
            # Not pickle: a value written to Redis by an attacker would run code here.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 0.25,
            "SOCKET_TIMEOUT": 0.5,
            "CONNECTION_POOL_KWARGS": {
                # By default redis-py retries ten times: a hung Redis would be a hung request.
                "retry": replace_cut_connection(),
                # Protocol 3 lets a server extend our timeouts by maintenance notices. Its
                # handshake and the driver's name also cost four round trips per connection.
                "protocol": 2,
                "driver_info": None,
                **name_on_tls(url),
            },
        },
    }
    return {"default": shared, **counting}
