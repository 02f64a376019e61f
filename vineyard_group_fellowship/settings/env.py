"""Strict reading of environment variables: an invalid value stops the start and is named."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from vineyard_group_fellowship import env_file

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
# docker compose reads these itself.
_OF_COMPOSE = re.compile(r"COMPOSE_\w+|DB_POOLER_(HOST|PORT)")


class Environment:
    """The environment variables that the settings read; `.env` fills in those that are unset."""

    def __init__(self, source: Mapping[str, str]) -> None:
        self._source = source
        self._in_file: set[str] = set()
        self.names: set[str] = set()
        self.refusals: list[str] | None = None
        """The faults found so far, to report together; None if the first one stops the start."""

    def read_file(self, path: Path) -> None:
        """Add the variables of a `.env` file; the process's own environment wins."""
        values, faults = env_file.load(path)
        for fault in faults:
            self.refuse(fault)
        module = values.get("DJANGO_SETTINGS_MODULE")
        if module and module != os.environ["DJANGO_SETTINGS_MODULE"]:
            # Django has chosen already. Docker compose would choose this one.
            self.refuse(
                "DJANGO_SETTINGS_MODULE in .env comes too late: set DJANGO_ENVIRONMENT there"
            )
        self._in_file |= values.keys()

    def refuse(self, fault: str) -> None:
        """Stop the start, at once or when all faults are known."""
        if self.refusals is None:
            raise ImproperlyConfigured(f"{fault}.")
        if fault not in self.refusals:
            self.refusals.append(fault)

    def unknown_names(self) -> list[str]:
        """Return the names in the `.env` file that no setting reads, and refuse a misspelt one.

        The others may be settings of a later version, from which this one is a rollback.
        """
        unknown = {it for it in self._in_file - self.names if not _OF_COMPOSE.fullmatch(it)}
        for name in sorted(unknown):
            if right := env_file.meant(name, self.names):
                self.refuse(f"{name} in .env is not a setting of this service, but {right} is")
        return sorted(unknown)

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
