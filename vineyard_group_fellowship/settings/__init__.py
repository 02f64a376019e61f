"""The settings that DJANGO_ENVIRONMENT picks; DJANGO_SETTINGS_MODULE can also name a module."""

import os

if os.environ.get("DJANGO_SETTINGS_MODULE", __name__) == __name__:
    from .base import ENVIRONMENT

    if ENVIRONMENT == "production":
        from .production import *  # noqa: F403 -- a settings module is its names
    elif ENVIRONMENT == "test":
        from .test import *  # noqa: F403 -- as above
    else:
        from .local import *  # noqa: F403 -- as above
