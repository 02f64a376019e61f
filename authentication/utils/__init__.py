"""Helper functions that do not use the database."""
