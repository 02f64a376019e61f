"""What is wrong with a catalogue: gaps, doubts, placeholders and markup that do not match."""

import re
from collections.abc import Iterator
from typing import Any

from babel.messages.catalog import Message

from .catalogues import DOMAINS, catalogue, messages_of

# {name}, %(name)s and %s, and the names of HTML elements.
_PLACEHOLDER = re.compile(r"\{\w*\}|%\(\w+\)[sd]|%[sd]|</?[a-z]+|\{%.*?%\}|\{\{.*?\}\}")
_ENDS = (":", "…")


def faults_of(language: str) -> list[str]:
    """Return the faults of a language's catalogues, each in a sentence."""
    return [
        f"{language}, {domain}: {fault} {_shown(message)}"
        for domain in DOMAINS
        for message in messages_of(catalogue(language, domain))
        for fault in faults(message)
    ]


def faults(message: Message) -> Iterator[str]:
    """Return what is wrong with a translation."""
    texts = message.id if isinstance(message.id, tuple | list) else (message.id,)
    strings: Any = message.string
    given = strings if isinstance(strings, tuple | list) else (strings,)
    if message.fuzzy:
        yield "fuzzy:"
    if not all(given):
        yield "untranslated:"
        return
    wanted = sorted(_PLACEHOLDER.findall(texts[-1]))
    # The singular may say "one" instead of its number.
    exact = given[1:] if len(given) > 1 else given
    if any(sorted(_PLACEHOLDER.findall(text)) != wanted for text in exact):
        yield "other placeholders or markup:"
    for text in given:
        if _edges(text) != _edges(texts[0]):
            yield "other blanks or line breaks at the ends:"
        if any(text.endswith(end) != texts[0].endswith(end) for end in _ENDS):
            yield "another end:"


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _shown(message: Message) -> str:
    text = message.id if isinstance(message.id, str) else message.id[0]
    return repr(text[:70])
