"""What stands between HTTP and the views: authentication, limits, parsers, the OpenAPI schema."""
