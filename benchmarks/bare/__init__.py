"""The baseline: a stock Django, DRF and simplejwt project."""
