"""The yardstick: a stock project of Django, DRF and simplejwt with its blacklist."""
