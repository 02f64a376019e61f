"""Where a program keeps what must outlive it: the refresh token and the id of the device."""

import json
import os
import tempfile
from pathlib import Path
from typing import Protocol

REFRESH_KEY, DEVICE_KEY = "refresh", "device"


class TokenStorage(Protocol):
    """A store of texts by key."""

    def get(self, key: str) -> str | None:
        """Return a text, or None."""

    def set(self, key: str, value: str) -> None:
        """Keep a text; it must be kept when this returns."""

    def delete(self, key: str) -> None:
        """Forget a text, if there is one."""


class MemoryStorage:
    """Keeps the tokens until the program ends."""

    def __init__(self) -> None:
        self._items: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        """Return a text, or None."""
        return self._items.get(key)

    def set(self, key: str, value: str) -> None:
        """Keep a text."""
        self._items[key] = value

    def delete(self, key: str) -> None:
        """Forget a text."""
        self._items.pop(key, None)


class FileStorage:
    """Keeps the tokens in a file that its owner alone may read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def get(self, key: str) -> str | None:
        """Return a text, or None."""
        return self._read().get(key)

    def set(self, key: str, value: str) -> None:
        """Keep a text."""
        self._write({**self._read(), key: value})

    def delete(self, key: str) -> None:
        """Forget a text."""
        self._write({name: value for name, value in self._read().items() if name != key})

    def _read(self) -> dict[str, str]:
        try:
            items: dict[str, str] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return items

    def _write(self, items: dict[str, str]) -> None:
        # Replaced as a whole: a program that is killed leaves the old file or the new one. The
        # mode of a temporary file is 0600.
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=self._path.parent, delete=False
        ) as file:
            json.dump(items, file)
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(self._path)
