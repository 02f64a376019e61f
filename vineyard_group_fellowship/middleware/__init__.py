"""Runs around every request."""
