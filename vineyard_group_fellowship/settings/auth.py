"""Accounts, passwords, tokens and sessions."""

from datetime import timedelta
from typing import Any

from .base import ENVIRONMENT
from .env import env

SECRET_KEY = env.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.items("SECRET_KEY_FALLBACKS")
if not SECRET_KEY and ENVIRONMENT != "production":
    # Public, because it is in this file. Production refuses to start with it.
    SECRET_KEY = "insecure-development-only-key-never-used-in-production"  # noqa: S105 -- no secret

# Keys for secrets that must be read again, such as the seeds of second factors. The first encrypts,
# all decrypt. Without any, SECRET_KEY is used; production requires its own.
FIELD_ENCRYPTION_KEYS = env.items("FIELD_ENCRYPTION_KEYS") or [SECRET_KEY, *SECRET_KEY_FALLBACKS]

AUTH_USER_MODEL = "authentication.User"
AUTHENTICATION_BACKENDS = ["authentication.api.backends.ServiceBackend"]
LOGIN_URL = "admin:login"

# Hashes of an earlier installation that are imported, each with the highest cost among them.
_CHEAPEST = 4
_LEGACY_HASHERS = {
    "pbkdf2_sha256": ("django.contrib.auth.hashers.PBKDF2PasswordHasher", 2_000_000),
    "bcrypt_sha256": ("django.contrib.auth.hashers.BCryptSHA256PasswordHasher", 14),
    "bcrypt": ("authentication.services.passwords.hashers.ImportedBCryptHasher", 14),
}


def legacy_hashes() -> dict[str, int]:
    """Return the highest cost of each algorithm of imported hashes."""
    costs: dict[str, int] = {}
    for item in env.items("LEGACY_PASSWORD_HASHES"):
        algorithm, _, cost = item.partition(":")
        most = _LEGACY_HASHERS.get(algorithm, ("", 0))[1]
        is_number = cost.isascii() and cost.isdigit() and len(cost) <= len(str(most))
        if not is_number or not _CHEAPEST <= int(cost) <= most:
            env.refuse(
                "LEGACY_PASSWORD_HASHES must be a list such as pbkdf2_sha256:600000,bcrypt:12; of"
                f" at most {', '.join(f'{it}:{top}' for it, (_, top) in _LEGACY_HASHERS.items())},"
                f" not {item!r}"
            )
        else:
            costs[algorithm] = int(cost)
    return costs


LEGACY_PASSWORD_HASHES = legacy_hashes()
PASSWORD_HASHERS = [
    "authentication.services.passwords.hashers.ServiceArgon2Hasher",
    *(_LEGACY_HASHERS[algorithm][0] for algorithm in LEGACY_PASSWORD_HASHES),
]
ARGON2_TIME_COST = env.integer("ARGON2_TIME_COST", 2, low=2, high=16)
ARGON2_MEMORY_KIB = env.integer("ARGON2_MEMORY_KIB", 65536, low=19456, high=2**21)
ARGON2_PARALLELISM = env.integer("ARGON2_PARALLELISM", 1, low=1, high=16)
# The server's processes share the memory for hashes.
WEB_CONCURRENCY = env.integer("WEB_CONCURRENCY", 1, low=1, high=1024)
WEB_THREADS = env.integer("WEB_THREADS", 8, low=1, high=256)

PRODUCTION_PASSWORD_MIN_LENGTH = 12
PASSWORD_MIN_LENGTH = env.integer(
    "PASSWORD_MIN_LENGTH",
    PRODUCTION_PASSWORD_MIN_LENGTH if ENVIRONMENT == "production" else 8,
    low=8,
    high=64,
)
PASSWORD_HISTORY_LIMIT = env.integer("PASSWORD_HISTORY_LIMIT", 5, high=50)
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": PASSWORD_MIN_LENGTH},
    },
    {"NAME": "authentication.services.passwords.validators.CompositionValidator"},
    {
        "NAME": "authentication.services.passwords.validators.IdentitySimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "first_name", "last_name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "authentication.services.passwords.validators.ContextWordsValidator",
        "OPTIONS": {"words": ("vineyard", "fellowship")},
    },
    {"NAME": "authentication.services.passwords.validators.PasswordHistoryValidator"},
]
HIBP_ENABLED = env.boolean("HIBP_ENABLED", default=ENVIRONMENT != "test")
HIBP_API_URL = env.matching(
    "HIBP_API_URL",
    "https://api.pwnedpasswords.com/range",
    pattern=r"https?://\S+",
    wanted="a web address",
).rstrip("/")

REQUIRE_EMAIL_VERIFICATION = env.boolean("REQUIRE_EMAIL_VERIFICATION", default=True)
TERMS_VERSION = env.matching(
    "TERMS_VERSION", "1", pattern=r"[\w.-]{1,32}", wanted="a version such as 2026-11"
)
PRIVACY_POLICY_VERSION = env.matching(
    "PRIVACY_POLICY_VERSION", "1", pattern=r"[\w.-]{1,32}", wanted="a version such as 2026-11"
)
# Where people read what they agree to; empty: the pages show no link.
TERMS_URL, PRIVACY_POLICY_URL = (
    env.matching(name, "", pattern=r"https?://[^\s/]+\S*", wanted="a web address")
    for name in ("TERMS_URL", "PRIVACY_POLICY_URL")
)
REQUIRE_CURRENT_CONSENT = env.boolean("REQUIRE_CURRENT_CONSENT", default=False)
REQUIRE_CONSENT = env.boolean("REQUIRE_CONSENT", default=False)
PREVENT_EMAIL_ENUMERATION = env.boolean("PREVENT_EMAIL_ENUMERATION", default=True)
ACCOUNT_LOCKOUT_THRESHOLD = env.integer("ACCOUNT_LOCKOUT_THRESHOLD", 5, low=2, high=100)
ACCOUNT_LOCKOUT_MINUTES = env.integer("ACCOUNT_LOCKOUT_MINUTES", 30, low=1, high=10_080)
EMAIL_VERIFICATION_LIFETIME = timedelta(
    hours=env.integer("EMAIL_VERIFICATION_HOURS", 24, low=1, high=168)
)
PASSWORD_RESET_TIMEOUT = env.integer("PASSWORD_RESET_MINUTES", 60, low=5, high=60) * 60  # seconds
EXCHANGE_TOKEN_LIFETIME = timedelta(
    seconds=env.integer("EXCHANGE_TOKEN_SECONDS", 60, low=10, high=600)
)

# The name that authenticator apps show for the account.
TOTP_ISSUER = env.text("TOTP_ISSUER", "Vineyard Group Fellowship")
ADMIN_REQUIRE_OTP = env.boolean("ADMIN_REQUIRE_OTP", default=ENVIRONMENT == "production")

MAX_ACTIVE_SESSIONS = env.integer("MAX_ACTIVE_SESSIONS", 50, low=1, high=1000)
SESSION_LIFETIME = timedelta(days=env.integer("SESSION_LIFETIME_DAYS", 7, low=1, high=90))
SESSION_REMEMBERED_LIFETIME = timedelta(
    days=env.integer("SESSION_REMEMBERED_LIFETIME_DAYS", 14, low=1, high=90)
)
SESSION_ABSOLUTE_LIFETIME = timedelta(
    days=env.integer("SESSION_ABSOLUTE_LIFETIME_DAYS", 90, low=1, high=365)
)
REAUTHENTICATION_LIFETIME = timedelta(
    minutes=env.integer("REAUTHENTICATION_MINUTES", 10, low=1, high=60)
)
REFRESH_REUSE_GRACE = timedelta(seconds=env.integer("REFRESH_REUSE_GRACE_SECONDS", 10, high=60))

JWT_SIGNING_KEY = env.text("JWT_SIGNING_KEY", SECRET_KEY)
JWT_SIGNING_KEY_FALLBACKS = env.items("JWT_SIGNING_KEY_FALLBACKS")
if JWT_SIGNING_KEY == SECRET_KEY:
    # Otherwise rotating SECRET_KEY, when it is the only key, would sign out every user.
    JWT_SIGNING_KEY_FALLBACKS = [*JWT_SIGNING_KEY_FALLBACKS, *SECRET_KEY_FALLBACKS]

# Only simplejwt's token classes are used. Rotation, revocation and expiry are this service's own
# (docs/architecture.md).
SIMPLE_JWT: dict[str, Any] = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": SESSION_REMEMBERED_LIFETIME,
    "UPDATE_LAST_LOGIN": True,
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "ISSUER": "vineyard_group_fellowship",
    "LEEWAY": timedelta(seconds=10),
    "AUTH_HEADER_TYPES": ("Bearer",),
    "AUTH_HEADER_NAME": "HTTP_AUTHORIZATION",
    "USER_ID_FIELD": "id",
    "USER_ID_CLAIM": "user_id",
    "AUTH_TOKEN_CLASSES": ("authentication.utils.tokens.AccessToken",),
    "TOKEN_TYPE_CLAIM": "token_type",
    "JTI_CLAIM": "jti",
}

ENABLE_COOKIE_REFRESH_TOKEN = env.boolean("ENABLE_COOKIE_REFRESH_TOKEN", default=True)
REFRESH_TOKEN_COOKIE_NAME = env.matching(
    "REFRESH_TOKEN_COOKIE_NAME",
    "refresh_token",
    pattern=r"[A-Za-z0-9_.-]+",
    wanted="a cookie's name",
)
REFRESH_TOKEN_COOKIE_MAX_AGE = 14 * 24 * 60 * 60  # seconds
REFRESH_TOKEN_COOKIE_HTTPONLY = True
DEVICE_COOKIE_AGE = timedelta(days=400)
REFRESH_TOKEN_COOKIE_SECURE = env.boolean(
    "REFRESH_TOKEN_COOKIE_SECURE", default=ENVIRONMENT == "production"
)
REFRESH_TOKEN_COOKIE_PATH = "/"  # noqa: S105 -- a path
REFRESH_TOKEN_COOKIE_DOMAIN = env.text("REFRESH_TOKEN_COOKIE_DOMAIN") or None
REFRESH_TOKEN_COOKIE_SAMESITE = env.choice(
    "REFRESH_TOKEN_COOKIE_SAMESITE", "Lax", ("Lax", "Strict", "None")
)
