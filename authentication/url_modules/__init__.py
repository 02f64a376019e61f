"""URLs, by area."""
