"""What every environment shares: applications, middleware, storage."""

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from .env import env

BASE_DIR = Path(__file__).resolve().parents[2]


def environment() -> str:
    """Return the environment: the one whose module is named outright, else DJANGO_ENVIRONMENT."""
    named = env.text("DJANGO_SETTINGS_MODULE").rpartition(".")[2]
    chosen = env.choice("DJANGO_ENVIRONMENT", "development", ("development", "production", "test"))
    return {"local": "development", "production": "production", "test": "test"}.get(named, chosen)


ENVIRONMENT = environment()
# Tests must not depend on what the person who runs them keeps in .env.
if ENVIRONMENT != "test":
    env.read_file(BASE_DIR / ".env")
    ENVIRONMENT = environment()
if ENVIRONMENT == "production":
    # Whoever deploys is told of everything at once.
    env.refusals = []

PORT = env.integer("PORT", 8002, low=1, high=65535)

INSTALLED_APPS = [
    # Before staticfiles, so that our `runserver` (which prints the addresses) is the one that runs.
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

# The specification's order; what is not in it stands where its own documentation puts it.
MIDDLEWARE = [
    "vineyard_group_fellowship.middleware.correlation.CorrelationIdMiddleware",
    "vineyard_group_fellowship.middleware.errors.ErrorFormatMiddleware",
    "vineyard_group_fellowship.middleware.performance.PerformanceMonitoringMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "vineyard_group_fellowship.middleware.headers.SecurityHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "vineyard_group_fellowship.middleware.origin.OriginProofMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
            ],
        },
    },
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SLOW_REQUEST_SECONDS = env.decimal("SLOW_REQUEST_SECONDS", 1.0)
SERVER_TIMING = env.boolean("SERVER_TIMING", default=ENVIRONMENT == "development")
QUERY_BUDGET = env.integer("QUERY_BUDGET", 25, low=1)


# Read whichever database there is: a copy of .env.example names them all.
SQLITE_PATH = Path(env.text("SQLITE_PATH", str(BASE_DIR / "var" / "db.sqlite3")))
# Where the libraries lie when the system does not say; Django looks for them itself otherwise.
GDAL_LIBRARY_PATH = env.text("GDAL_LIBRARY_PATH") or None
GEOS_LIBRARY_PATH = env.text("GEOS_LIBRARY_PATH") or None

DB_POOL_SIZE = env.integer("DB_POOL_SIZE", 0, high=200)
DB_CONN_MAX_AGE = env.integer("DB_CONN_MAX_AGE", 600)
PGBOUNCER = env.boolean("PGBOUNCER", default=False)
# A statement that hangs must cost a request a bounded time, not a worker: 0 is for ever.
DB_STATEMENT_TIMEOUT_MS = env.integer("DB_STATEMENT_TIMEOUT_MS", 5000, high=600_000)
_BOUNDS = (
    f"-c statement_timeout={DB_STATEMENT_TIMEOUT_MS}",
    f"-c lock_timeout={env.integer('DB_LOCK_TIMEOUT_MS', 2000, high=600_000)}",
)
# A server that went without a word, as in a failover, is noticed within seconds; a kernel by itself
# takes 15 minutes.
_REACHED = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
}
# In transaction mode the next statement may run on another connection: nothing may be prepared on
# this one. PgBouncer also refuses parameters at the start: it, or the role, sets the timeouts
# instead (docs/operations.md).
_BEHIND_PGBOUNCER = {"prepare_threshold": None}


def postgresql() -> dict[str, Any] | None:
    """Return the PostgreSQL connection the environment names (DATABASE_URL wins over DB_*), or None."""
    by_url = env.database("DATABASE_URL")
    by_parts = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": env.text("DB_NAME", env.text("PGDATABASE", "vineyard_group_fellowship")),
        "USER": env.text("DB_USER", env.text("PGUSER", "vineyard_group_fellowship")),
        "PASSWORD": env.text("DB_PASSWORD", env.text("PGPASSWORD")),
        "HOST": env.text("DB_HOST", env.text("PGHOST")),
        "PORT": env.integer(
            "DB_PORT", env.integer("PGPORT", 5432, low=1, high=65535), low=1, high=65535
        ),
    }
    found: dict[str, Any] | None = by_url or (by_parts if by_parts["HOST"] else None)
    return found and _connected(found)


def replica() -> dict[str, Any] | None:
    """Return the read replica that DATABASE_REPLICA_URL names, or None."""
    found = env.database("DATABASE_REPLICA_URL")
    return found and {
        **_connected(found, "-c default_transaction_read_only=on"),
        "TEST": {"MIRROR": "default"},
    }


def _connected(found: dict[str, Any], *parameters: str) -> dict[str, Any]:
    """Return a database with how connections to it are made, kept and bounded in time; what its URL says wins."""
    # Whoever waits for a connection longer than two seconds gets a 503. A pool that cannot connect
    # begins anew after five: by default its tries lie minutes apart in the end.
    pool = {
        "min_size": min(2, DB_POOL_SIZE),
        "max_size": DB_POOL_SIZE,
        "timeout": 2,
        "reconnect_timeout": 5,
    }
    return {
        **found,
        # A pool keeps the connections itself, and is emptied when one of them turns out lost
        # (database.py).
        "CONN_MAX_AGE": 0 if DB_POOL_SIZE else DB_CONN_MAX_AGE,
        "CONN_HEALTH_CHECKS": not DB_POOL_SIZE,
        "DISABLE_SERVER_SIDE_CURSORS": PGBOUNCER,
        "OPTIONS": {
            **_REACHED,
            **(_BEHIND_PGBOUNCER if PGBOUNCER else {"options": " ".join((*_BOUNDS, *parameters))}),
            **({"pool": pool} if DB_POOL_SIZE else {}),
            **found.get("OPTIONS", {}),
        },
    }


def databases(main: dict[str, Any]) -> dict[str, Any]:
    """Return the databases: `default`, and `reports` for exports, which is the read replica where there is one."""
    behind = replica()
    if behind is None:
        return {"default": main}
    return {"default": main, "reports": {**behind, "ENGINE": main["ENGINE"]}}


def sqlite() -> dict[str, Any]:
    """Return the embedded database: write-ahead logging, immediate transactions, waiting for the writer."""
    SQLITE_PATH.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": SQLITE_PATH,
        # Opening the file and telling SQLite how to behave costs more than most queries.
        "CONN_MAX_AGE": 600,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def redis_url() -> str:
    """Return REDIS_URL, with REDIS_PASSWORD put in when the URL carries none; empty without Redis."""
    url = env.matching(
        "REDIS_URL",
        "",
        pattern=r"(rediss?|unix)://.+",
        wanted="a redis:// address",
        secret=True,
    )
    password = env.text("REDIS_PASSWORD")
    if url and password and not urlsplit(url).password:
        scheme, _, rest = url.partition("://")
        url = f"{scheme}://:{quote(password, safe='')}@{rest.rpartition('@')[2]}"
    return url


def caches(url: str) -> dict[str, Any]:
    """Return the caches: `default` for what must be shared, `limits` for counters that outlive Redis's faults."""
    local = {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
    if not url:
        return {
            "default": {**local, "LOCATION": "default"},
            "limits": {**local, "LOCATION": "limits"},
        }
    shared = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "vgf",
        "OPTIONS": {
            # Nothing in the cache is worth a pickle: who can write to Redis must not run code here.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 0.25,
            "SOCKET_TIMEOUT": 0.5,
            "CONNECTION_POOL_KWARGS": {
                # redis-py retries ten times by default, which turns a hung Redis into a hung
                # request.
                "retry": None,
                # Version 3 lets a server lengthen our timeouts, by maintenance notices. Its
                # greeting, those notices and the driver's name also cost four round trips a
                # connection.
                "protocol": 2,
                "driver_info": None,
            },
        },
    }
    limits = {"BACKEND": "vineyard_group_fellowship.cache.FailoverCache", "LOCATION": "default"}
    return {"default": shared, "limits": limits}
