#!/usr/bin/env python
"""The command line of the service."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vineyard_group_fellowship.settings")
    try:
        execute_from_command_line(sys.argv)
    except BrokenPipeError:
        # The reader, such as `head`, has closed the pipe. Python would write again at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
