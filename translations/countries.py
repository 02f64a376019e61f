"""The names of countries in a language, from Unicode's data (CLDR)."""

import json
from pathlib import Path

from babel import Locale

from .extract import ROOT

_FOLDER = ROOT / "authentication/utils/countries"
# Groups of countries, and codes for tests.
_NO_COUNTRIES = {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"}


def countries_in(language: str) -> dict[Path, bytes]:
    """Return the file with the names of countries in a language, by their codes (ISO 3166)."""
    named = Locale.parse(language).territories
    names = {
        code: name
        for code, name in sorted(named.items())
        if code.isalpha() and code not in _NO_COUNTRIES
    }
    content = json.dumps(names, ensure_ascii=False, indent=1) + "\n"
    return {_FOLDER / f"countries.{language}.json": content.encode()}
