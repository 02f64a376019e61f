"""The tests' settings: fast hashes; PostgreSQL and Redis when the environment names them."""

from .api import *  # noqa: F403 -- a settings module is its names
from .auth import *  # noqa: F403 -- as above
from .base import *  # noqa: F403 -- as above
from .base import caches, redis_url
from .celery import *  # noqa: F403 -- as above
from .database import *  # noqa: F403 -- as above
from .database import postgresql, sqlite
from .email import *  # noqa: F403 -- as above
from .env import env
from .logging import *  # noqa: F403 -- as above
from .places import *  # noqa: F403 -- as above
from .retention import *  # noqa: F403 -- as above
from .security import *  # noqa: F403 -- as above
from .well_known import *  # noqa: F403 -- as above

DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
DATABASES = {"default": postgresql() or sqlite()}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Tables made from the models take a tenth of the time of the migrations, which tests of their
    # own walk through.
    DATABASES["default"]["TEST"] = {"MIGRATE": False}
REPORTS_DATABASE = "default"
CACHES = caches(redis_url())
# Parallel test processes share one Redis.
CACHES["default"]["KEY_PREFIX"] = "vgf" + env.text("PYTEST_XDIST_WORKER")
SESSION_ENGINE = "vineyard_group_fellowship.admin_sessions"
CELERY_BROKER_URL = ""
# Tests must not sweep each other's outbox or share connections.
EMAIL_SWEEP_SECONDS = 0
DATABASES["default"]["CONN_MAX_AGE"] = 0

# A real hash costs a third of a second; tests of the hash itself set the real costs.
ARGON2_TIME_COST, ARGON2_MEMORY_KIB = 1, 8
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Static files are served from their sources; tests do not collect them.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
