"""Runs management commands."""

import io
from typing import Any

from django.core.management import call_command


def run_command(*arguments: str, **options: Any) -> str:
    """Run a management command; return what it writes to standard output."""
    written = io.StringIO()
    call_command(*arguments, stdout=written, stderr=io.StringIO(), **options)
    return written.getvalue()
