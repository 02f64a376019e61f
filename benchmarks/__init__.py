"""A load test of the service, beside a bare DRF view as the yardstick."""
