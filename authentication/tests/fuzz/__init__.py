"""Tests that make up their own input."""
