"""The catalogues of locale/: what translators write, and what is made of it."""

import io
import json
from collections.abc import Iterator
from gettext import c2py  # not documented, and in every Python
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po

from .countries import countries_in
from .extract import ROOT, texts_of

DOMAINS = ("django", "djangojs")
_WORDS = ROOT / "authentication/static/account/words"
_WIDTH = 99
_HEADER: dict[str, Any] = {
    "project": "authentication",
    "version": "1",
    "msgid_bugs_address": "-",
    "last_translator": "-",
    "language_team": "-",
}


def languages() -> list[str]:
    """Return the languages of locale/."""
    return sorted(path.parent.name for path in (ROOT / "locale").glob("*/LC_MESSAGES"))


def files_of(language: str) -> dict[Path, bytes]:
    """Return every file of a language as it should be: with all texts, and none besides.

    A text that is new has no translation. One that looks like a former text is not guessed.
    """
    files = {**countries_in("en"), **countries_in(language)}
    for domain in DOMAINS:
        path = ROOT / "locale" / language / "LC_MESSAGES" / f"{domain}.po"
        catalog = _updated(path, language, domain)
        files[path] = _written(write_po, catalog, width=_WIDTH, sort_output=True)
        if domain == "django":
            files[path.with_suffix(".mo")] = _written(write_mo, catalog)
        else:
            files[_WORDS / f"{language}.json"] = _words(catalog)
    return files


def catalogue(language: str, domain: str) -> Catalog:
    """Return a catalogue as it is stored."""
    path = ROOT / "locale" / language / "LC_MESSAGES" / f"{domain}.po"
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def messages_of(catalog: Catalog) -> Iterator[Message]:
    """Return the messages of a catalogue, without its header."""
    return (message for message in catalog if message.id)


def _updated(path: Path, language: str, domain: str) -> Catalog:
    found = texts_of(domain)
    known = catalogue(language, domain) if path.exists() else Catalog(locale=language)
    # The time of the first run stays: the file must not differ with each run.
    since = known.creation_date
    catalog = Catalog(
        locale=language,
        domain=domain,
        fuzzy=False,
        creation_date=since,
        revision_date=since,
        **_HEADER,
    )
    catalog.header_comment = f"# The texts of the service: {Locale.parse(language).english_name}."
    for message in messages_of(found):
        earlier = known.get(message.id, message.context)
        translated = earlier.string if earlier else None
        added = catalog.add(
            message.id, translated, locations=message.locations, context=message.context
        )
        added.flags |= (earlier.flags if earlier else set()) & {"fuzzy"}
        added.user_comments = earlier.user_comments if earlier else []
    return catalog


def _written(write: Any, catalog: Catalog, **options: Any) -> bytes:
    file = io.BytesIO()
    write(file, catalog, **options)
    return file.getvalue()


def _words(catalog: Catalog) -> bytes:
    """Return a catalogue for the scripts: a translation, or one for each form of the plural."""
    words: dict[str, Any] = {}
    for message in messages_of(catalog):
        if isinstance(message.id, str):
            words[message.id] = message.string
        else:
            words[message.id[0]] = by_form(catalog, message.string)
    made = {name: text for name, text in sorted(words.items()) if text}
    return (json.dumps(made, ensure_ascii=False, indent=1) + "\n").encode()


def by_form(catalog: Catalog, translations: Any) -> dict[str, str]:
    """Return the translations by the names of forms that browsers know (Intl.PluralRules)."""
    locale = Locale.parse(str(catalog.locale))
    index_of = get_plural(locale)
    # gettext's number of the form, for a number of each form.
    forms = {str(locale.plural_form(n)): _index(index_of.plural_expr, n) for n in range(1000)}
    return {form: translations[index] for form, index in forms.items() if all(translations)}


def _index(expression: str, number: int) -> int:
    return int(c2py(expression)(number))
