"""The yardstick: what a stock Django, DRF and simplejwt cost on the same machine."""
