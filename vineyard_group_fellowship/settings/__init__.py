"""The settings that DJANGO_ENVIRONMENT picks; DJANGO_SETTINGS_MODULE can also name a module."""

import os

from .env import env

if os.environ.get("DJANGO_SETTINGS_MODULE", __name__) == __name__:
    from .base import BASE_DIR, ENVIRONMENT

    if ENVIRONMENT == "production":
        from .production import *  # noqa: F403 -- a settings module is its names
    elif ENVIRONMENT == "test":
        from .test import *  # noqa: F403 -- as above
    else:
        from .local import *  # noqa: F403 -- as above

    if ENVIRONMENT != "test":
        env.refuse_unknown(BASE_DIR / ".env")
