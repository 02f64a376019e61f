"""Files that commands write personal data to."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.core.management.base import CommandError


@contextlib.contextmanager
def private_file(name: str) -> Iterator[IO[str]]:
    """Open a file that only its owner may read, and that appears under its name when complete.

    Raises CommandError if it exists or cannot be written.
    """
    path = Path(name)
    if path.exists():
        raise CommandError(f"{path} exists already.")
    partial = path.with_name(f".{path.name}.partial")
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"{partial} cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
