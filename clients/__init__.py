"""Clients of the service in other languages, and what writes parts of them."""
