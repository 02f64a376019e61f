"""The adapter between granian and the WSGI application."""
