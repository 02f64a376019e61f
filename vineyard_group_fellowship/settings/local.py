"""Development: everything in one process, or on the servers that the environment names."""

from .api import *  # noqa: F403 -- a settings module is its names
from .auth import *  # noqa: F403 -- as above
from .base import *  # noqa: F403 -- as above
from .base import caches, redis_url
from .celery import *  # noqa: F403 -- as above
from .database import *  # noqa: F403 -- as above
from .database import databases, postgresql, sqlite
from .email import *  # noqa: F403 -- as above
from .email import EMAIL_BACKEND
from .env import env
from .logging import *  # noqa: F403 -- as above
from .monitoring import *  # noqa: F403 -- as above
from .places import *  # noqa: F403 -- as above
from .retention import *  # noqa: F403 -- as above
from .security import *  # noqa: F403 -- as above
from .security import CONTENT_SECURITY_POLICIES, MAILBOX_POLICIES, SILENCED_SYSTEM_CHECKS
from .well_known import *  # noqa: F403 -- as above

DEBUG = env.boolean("DEBUG", default=True)
INTERNAL_IPS = ["127.0.0.1", "::1"]
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")

DATABASES = databases(postgresql() or sqlite())
REPORTS_DATABASE = "reports" if "reports" in DATABASES else "default"
CACHES = caches(redis_url())
SESSION_ENGINE = "vineyard_group_fellowship.admin_sessions"
# Debian 12's GDAL is newer than the versions that Django lists as tested.
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "gis.W001"]
# Static files come from their sources with DEBUG off too: development does not collect them.
WHITENOISE_USE_FINDERS = True
# Mails hold links that sign in, so only a service on the developer's own machine shows them.
DEVELOPMENT_MAILBOX = (
    DATABASES["default"]["ENGINE"].endswith("sqlite3")
    and not redis_url()
    and EMAIL_BACKEND.endswith(".FileMailbox")
)
if DEVELOPMENT_MAILBOX:
    CONTENT_SECURITY_POLICIES = {**CONTENT_SECURITY_POLICIES, **MAILBOX_POLICIES}
UNKNOWN_SETTINGS = env.unknown_names()
