"""Benchmark of the service, with a stock Django, DRF and simplejwt project as the baseline."""
