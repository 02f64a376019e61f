"""The service's settings of development, with passwords that cost nothing to hash."""

from vineyard_group_fellowship.settings.local import *  # noqa: F403 -- a settings module is its names

PASSWORD_HASHERS = ["benchmarks.cheap_hash.CheapHasher"]
