"""Finds the texts to translate: in Python, in templates and in the account pages' scripts."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages import jslexer
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]

# Where a function takes the text, its plural and its context: of Django, and of language.js.
_FUNCTIONS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
_CODE = ("authentication", "vineyard_group_fellowship")
_CALL_OF_SCRIPTS = re.compile(r"(?<![\w.])(t|parts|counted)\(")
_CALL = re.compile(r"\b(?:n?p?gettext|_)\(")

Found = tuple[str, int, Any, str | None]
"""The file, the line, the text (or the text and its plural) and the context."""


def texts_of(domain: str) -> Catalog:
    """Return the texts of a domain: `django` for the server's, `djangojs` for the scripts'."""
    catalog = Catalog()
    found = _in_scripts() if domain == "djangojs" else (*_in_python(), *_in_templates())
    for file, _, text, context in sorted(found, key=str):
        # Line numbers would change with every edit of a file.
        locations: Any = [(file, None)]
        catalog.add(text, locations=locations, context=context)
    return catalog


def _in_python() -> Iterator[Found]:
    for folder in _CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"tests", "migrations"} & set(path.parts):
                yield from _babel("python", path, _FUNCTIONS)


def _in_scripts() -> Iterator[Found]:
    for path in sorted((ROOT / "authentication/static/account/js").rglob("*.js")):
        yield from in_script(path.read_text(encoding="utf-8"), _name(path))


def in_script(code: str, name: str) -> Iterator[Found]:
    """Return the texts of a script; Babel's own extractor passes over calls within calls."""
    for call in _CALL_OF_SCRIPTS.finditer(code):
        if texts := _arguments(code[call.end() :]):
            line = code.count("\n", 0, call.start()) + 1
            yield name, line, tuple(texts[:2]) if call[1] == "counted" else texts[0], None


def _arguments(code: str) -> list[str]:
    """Return the leading arguments of a call that are strings, joined where they are added."""
    texts: list[str] = []
    is_open = True
    for token in jslexer.tokenize(code, jsx=False):
        if token.type == "string":
            text = jslexer.unquote_string(token.value)
            if is_open:
                texts.append(text)
            else:
                texts[-1] += text
        elif token.value in {"+", ","}:
            is_open = token.value == ","
        elif token.type not in {"comment", "linecomment"}:
            break
    return texts


def _babel(method: str, path: Path, functions: dict[str, Any]) -> Iterator[Found]:
    with path.open("rb") as file:
        for line, text, _, context in extract(method, file, keywords=functions):
            yield _name(path), line, text, context


def _in_templates() -> Iterator[Found]:
    for path in sorted((ROOT / "templates").rglob("*.*")):
        code = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        for call in _CALL.finditer(code):
            line = code.count("\n", 0, call.start()) + 1
            name, texts = call[0][:-1], _strings(code[call.start() :])
            context = texts.pop(0) if "p" in name else None
            is_plural = name.startswith("n")
            yield _name(path), line, tuple(texts[:2]) if is_plural else texts[0], context


def _strings(code: str) -> list[str]:
    """Return the strings of the call that a text begins with."""
    strings, depth = [], 0
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        depth += {"(": 1, ")": -1}.get(token.string, 0)
        if token.type == tokenize.STRING:
            strings.append(ast.literal_eval(token.string))
        elif token.string == ")" and depth == 0:
            break
    return strings


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))
