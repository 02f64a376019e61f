"""Between HTTP and the views: authentication, rate limits, body parsers, the OpenAPI schema."""
