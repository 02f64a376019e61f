"""Strict reading of environment variables: an invalid value stops the start and is named."""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_ASSIGNMENT = re.compile(r"(?:export )?\w+=", re.ASCII)


class Environment:
    """The environment variables that the settings read; `.env` fills in those that are unset."""

    def __init__(self, source: Mapping[str, str]) -> None:
        self._source = source
        self.names: set[str] = set()
        self.refusals: list[str] | None = None
        """The faults found so far, to report together; None if the first one stops the start."""

    def read_file(self, path: Path) -> None:
        """Add the variables of a `.env` file; the process's own environment wins."""
        if not path.is_file():
            return
        # Checked first, because its reader logs lines it cannot read, and such a line may be half a
        # key.
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() and not line.startswith("#") and not _ASSIGNMENT.match(line):
                self.refuse(f"Line {number} of {path.name} is not an assignment such as NAME=value")
        environ.Env.read_env(path)

    def refuse(self, fault: str) -> None:
        """Stop the start, at once or when all faults are known."""
        if self.refusals is None:
            raise ImproperlyConfigured(f"{fault}.")
        if fault not in self.refusals:
            self.refusals.append(fault)

    def refuse_unknown(self, path: Path) -> None:
        """Refuse a name in the `.env` file that no setting reads: it is a typing error."""
        if not path.is_file():
            return
        lines = (
            line.strip().removeprefix("export ")
            for line in path.read_text(encoding="utf-8").splitlines()
        )
        named = {
            line.partition("=")[0].strip()
            for line in lines
            if "=" in line and not line.startswith("#")
        }
        for name in sorted(named - self.names):
            near = difflib.get_close_matches(name, self.names, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ImproperlyConfigured(
                f"{name} in {path.name} is not a setting of this service.{hint}"
            )

    def text(self, name: str, default: str = "") -> str:
        """Return a string; an empty variable counts as unset."""
        self.names.add(name)
        return self._source.get(name, "") or default

    def boolean(self, name: str, *, default: bool) -> bool:
        """Return a boolean, written as 1/true/yes/on or 0/false/no/off."""
        value = self.text(name).strip().lower()
        if not value:
            return default
        if value not in _TRUE | _FALSE:
            self.refuse(f"{name} must be true or false, not {value!r}")
        return value in _TRUE

    def integer(self, name: str, default: int, *, low: int = 0, high: int = 2**31 - 1) -> int:
        """Return a whole number between `low` and `high`, both included."""
        number = self._parsed(name, default, cast=int, wanted="a whole number")
        if not low <= number <= high:
            self.refuse(f"{name} must be between {low} and {high}, not {number}")
            return default
        return int(number)

    def decimal(self, name: str, default: float, *, low: float = 0.0, high: float = 1e9) -> float:
        """Return a number between `low` and `high`, both included."""
        number = self._parsed(name, default, cast=float, wanted="a number")
        if not low <= number <= high:
            self.refuse(f"{name} must be between {low} and {high}, not {number}")
            return default
        return float(number)

    def items(self, name: str, default: str = "") -> list[str]:
        """Return a comma-separated list; blanks around the items are dropped."""
        return [item.strip() for item in self.text(name, default).split(",") if item.strip()]

    def choice(self, name: str, default: str, options: tuple[str, ...]) -> str:
        """Return one of the options."""
        value = self.text(name, default)
        if value not in options:
            self.refuse(f"{name} must be one of {', '.join(options)}, not {value!r}")
            return default
        return value

    def matching(
        self, name: str, default: str, *, pattern: str, wanted: str, secret: bool = False
    ) -> str:
        """Return a string that matches a pattern; a refusal says `wanted` and quotes no secret."""
        value = self.text(name, default)
        if value and not re.fullmatch(pattern, value):
            self.refuse(f"{name} must be {wanted}" + ("" if secret else f", not {value!r}"))
            return default
        return value

    def database(self, name: str) -> dict[str, Any] | None:
        """Return Django's database settings from a URL, or None when the variable is unset."""
        url = self.matching(
            name,
            "",
            pattern=r"(postgres|postgresql|pgsql|postgis)://.+",
            wanted="a postgres:// address",
            secret=True,
        )
        if not url:
            return None
        try:
            return dict(environ.Env.db_url_config(url))
        except (ValueError, KeyError, ImproperlyConfigured):
            self.refuse(f"{name} is not a database URL")
            return None

    def _parsed(self, name: str, default: float, *, cast: type[int | float], wanted: str) -> float:
        value = self.text(name).strip()
        try:
            return cast(value) if value else default
        except ValueError:
            self.refuse(f"{name} must be {wanted}, not {value!r}")
            return default


env = Environment(os.environ)
