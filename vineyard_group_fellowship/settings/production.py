"""Production: PostGIS, Redis, Celery, HTTPS; refuses to start with missing or weak settings."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from .api import *  # noqa: F403 -- a settings module is its names
from .auth import *  # noqa: F403 -- as above
from .auth import (
    JWT_SIGNING_KEY,
    JWT_SIGNING_KEY_FALLBACKS,
    REFRESH_TOKEN_COOKIE_SECURE,
    SECRET_KEY,
    SECRET_KEY_FALLBACKS,
)
from .base import *  # noqa: F403 -- as above
from .base import caches, redis_url
from .celery import *  # noqa: F403 -- as above
from .database import *  # noqa: F403 -- as above
from .database import databases, postgresql
from .email import *  # noqa: F403 -- as above
from .email import BACKEND_URL, EMAIL_HOST, SENDGRID_API_KEY
from .env import env
from .logging import *  # noqa: F403 -- as above
from .monitoring import *  # noqa: F403 -- as above
from .places import *  # noqa: F403 -- as above
from .retention import *  # noqa: F403 -- as above
from .security import *  # noqa: F403 -- as above
from .security import CORS_ALLOWED_ORIGINS, CSRF_TRUSTED_ORIGINS, METRICS_TOKEN
from .well_known import *  # noqa: F403 -- as above

_field_keys = env.items("FIELD_ENCRYPTION_KEYS")

DEBUG = env.boolean("DEBUG", default=False)
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS")

_database: dict[str, Any] | None = postgresql()
DATABASES = databases({**(_database or {}), "ENGINE": "django.contrib.gis.db.backends.postgis"})
_redis = redis_url()

SECURE_REDIRECT_EXEMPT = [r"^api/v1/auth/health/", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True


def _is_https(address: str) -> bool:
    return address.startswith("https://")


def _is_short(keys: list[str], length: int) -> bool:
    return any(len(key) < length for key in keys)


_origins = [*CORS_ALLOWED_ORIGINS, *CSRF_TRUSTED_ORIGINS]
# Mailed links carry tokens.
_LINKS = (
    *("FRONTEND_URL", "EMAIL_VERIFICATION_URL", "PASSWORD_RESET_URL", "DISOWN_SESSION_URL"),
    *("EMAIL_CHANGE_URL", "EMAIL_UNDO_URL", "CHANGE_UNDO_URL", "EXPORT_URL"),
    *("EMAIL_VERIFIED_URL", "EMAIL_VERIFY_ERROR_URL"),
    *("FACTOR_REMOVAL_STOP_URL", "INVITATION_URL"),
)
# The default in docker-compose.yml, which is public.
_DEVELOPMENT_PASSWORD = "development-only"  # noqa: S105 -- no secret

_faults = {
    "SECRET_KEY must have at least 50 characters": _is_short([SECRET_KEY], 50),
    "SECRET_KEY must not be the development key": SECRET_KEY.startswith("insecure-"),
    # A guessed fallback forges the same signatures as the key in use.
    "SECRET_KEY_FALLBACKS must have at least 50 characters each": _is_short(
        SECRET_KEY_FALLBACKS, 50
    ),
    "JWT_SIGNING_KEY must have at least 32 characters": _is_short([JWT_SIGNING_KEY], 32),
    "JWT_SIGNING_KEY_FALLBACKS must have at least 32 characters each": _is_short(
        JWT_SIGNING_KEY_FALLBACKS, 32
    ),
    "FIELD_ENCRYPTION_KEYS must be set": not _field_keys,
    "FIELD_ENCRYPTION_KEYS must not contain SECRET_KEY": SECRET_KEY in _field_keys,
    "FIELD_ENCRYPTION_KEYS must have at least 32 characters each": _is_short(_field_keys, 32),
    "METRICS_TOKEN must be empty or have at least 24 characters": (
        bool(METRICS_TOKEN) and _is_short([METRICS_TOKEN], 24)
    ),
    "DEBUG must be off": DEBUG,
    "ALLOWED_HOSTS must name every host, without *": not ALLOWED_HOSTS
    or any("*" in host for host in ALLOWED_HOSTS),
    "CORS_ALLOWED_ORIGINS must be set": not env.items("CORS_ALLOWED_ORIGINS"),
    "CSRF_TRUSTED_ORIGINS must be set": not env.items("CSRF_TRUSTED_ORIGINS"),
    "CORS_ALLOWED_ORIGINS and CSRF_TRUSTED_ORIGINS must be https, or pages of an app": any(
        origin.startswith("http://") for origin in _origins
    ),
    "BACKEND_URL must be set": not env.text("BACKEND_URL"),
    "BACKEND_URL must be https": not _is_https(BACKEND_URL),
    **{f"{name} must be https": not _is_https(env.text(name) or "https://") for name in _LINKS},
    "REFRESH_TOKEN_COOKIE_SECURE must be on": not REFRESH_TOKEN_COOKIE_SECURE,
    "DATABASE_URL, DB_HOST or PGHOST must be set": _database is None,
    "DB_PASSWORD must not be the development password": _database
    and _database.get("PASSWORD") == _DEVELOPMENT_PASSWORD,
    "REDIS_URL must be set": not _redis,
    "REDIS_PASSWORD must not be the development password": (
        env.text("REDIS_PASSWORD") == _DEVELOPMENT_PASSWORD
    ),
    "EMAIL_HOST or SENDGRID_API_KEY must be set": not (EMAIL_HOST or SENDGRID_API_KEY),
}
UNKNOWN_SETTINGS = env.unknown_names()
if found := [*(env.refusals or []), *(fault for fault, present in _faults.items() if present)]:
    raise ImproperlyConfigured("Production does not start: " + "; ".join(found) + ".")

REPORTS_DATABASE = "reports" if "reports" in DATABASES else "default"
CACHES = caches(_redis)
SESSION_ENGINE = "vineyard_group_fellowship.admin_sessions"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "vineyard_group_fellowship.static_files.HashedFiles"},
}
