"""Where an area's endpoints are."""
