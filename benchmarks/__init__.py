"""Benchmark of the service, beside a stock project of Django, DRF and simplejwt."""
