"""The API's views, one file per area."""
