"""How hard the property tests try; none depends on the speed of the machine or on what an earlier run found."""

from hypothesis import HealthCheck, settings

thoroughly = settings(
    max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
over_http = settings(thoroughly, max_examples=40)
