"""Places of IP addresses."""

from .base import BASE_DIR
from .env import env

# A file in MaxMind's format. Without one no place is known.
GEOIP_PATH = BASE_DIR / env.text("GEOIP_PATH") if env.text("GEOIP_PATH") else None
# How much of a place is stored and shown.
LOCATION_DETAIL = env.choice("LOCATION_DETAIL", "city", ("off", "country", "city"))
