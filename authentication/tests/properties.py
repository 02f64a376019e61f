"""Settings of the property tests: no deadline, and no examples kept from an earlier run."""

from hypothesis import HealthCheck, settings

thoroughly = settings(
    max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
over_http = settings(thoroughly, max_examples=40)
