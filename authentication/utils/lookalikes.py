"""Names that look alike, by Unicode's data on identifiers (UAX 31, UTS 39).

Scripts and classes of characters come from `regex`, confusable characters from
`confusable-homoglyphs` (confusables.txt).
"""

import functools
import unicodedata

import regex

# The recommended scripts (UAX 31, table 5). Others are used by few people, or by none any more.
_SCRIPTS = (
    *("Arabic", "Armenian", "Bengali", "Bopomofo", "Cyrillic", "Devanagari", "Ethiopic"),
    *("Georgian", "Greek", "Gujarati", "Gurmukhi", "Han", "Hangul", "Hebrew", "Hiragana"),
    *("Kannada", "Katakana", "Khmer", "Lao", "Latin", "Malayalam", "Myanmar", "Oriya", "Sinhala"),
    *("Tamil", "Telugu", "Thaana", "Thai", "Tibetan"),
)
# Writing systems of several scripts (UTS 39, section 5.1): Japanese, Korean, Chinese.
_TOGETHER = (("Han", "Hiragana", "Katakana"), ("Han", "Hangul"), ("Han", "Bopomofo"))


def _alphabet(*scripts: str) -> "regex.Pattern[str]":
    uses = "".join(rf"\p{{scx={script}}}" for script in (*scripts, "Common", "Inherited"))
    return regex.compile(f"[{uses}]*")


_ALPHABETS = [*map(_alphabet, _SCRIPTS), *(_alphabet(*scripts) for scripts in _TOGETHER)]
_INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_MARK = regex.compile(r"\p{M}")
_VISIBLE = regex.compile(r"(?!\p{Default_Ignorable_Code_Point}|\u2800)[\p{L}\p{N}\p{P}\p{S}]")
# Letters of phonetic notations, letters that stretch a word, marks that draw a line, and modifiers
# of no script except the okina and the apostrophe of several alphabets.
_DECORATIVE = regex.compile(
    r"[\p{Block=Phonetic_Extensions}\p{Block=Phonetic_Extensions_Supplement}"
    r"\p{Block=Latin_Extended_E}\u0640\u07fa"
    r"\u0305\u0332-\u0338\u033f]"
    r"|(?![\u02bb\u02bc])(?=\p{scx=Common})\p{Lm}"
)
_LOOSE_MARK = regex.compile(r"(?<![\p{L}\p{M}])\p{M}")
# Composed letters of these scripts have one mark more at most, those of others three.
_STACKED_MARKS = regex.compile(
    r"(?=[\p{scx=Latin}\p{scx=Greek}\p{scx=Cyrillic}])\p{L}\p{M}{2}|\p{Mn}{4}"
)
_SAME_MARKS = regex.compile(r"(\p{Mn})\1")


def is_invisible_in(text: str) -> bool:
    """Return whether a text has a character without a glyph, such as a zero-width space."""
    return _INVISIBLE.search(text) is not None


def is_visible(text: str) -> bool:
    """Return whether a text shows anything at all."""
    return _VISIBLE.search(unicodedata.normalize("NFKC", text)) is not None


def is_decorative_in(text: str) -> bool:
    """Return whether a text has letters that names are not written with."""
    return _DECORATIVE.search(text) is not None


def has_one_alphabet(text: str) -> bool:
    """Return whether a text is written in one writing system, with the digits of one.

    A character counts for each script that uses it (Script_Extensions). ASCII digits count for all.
    """
    zeros = {ord(it) - unicodedata.decimal(it) for it in text if it.isdecimal()}
    return len(zeros) <= 1 and any(scripts.fullmatch(text) for scripts in _ALPHABETS)


def has_loose_marks(text: str) -> bool:
    """Return whether a combining mark has no letter, or is one too many on its letter."""
    return any(
        (
            _LOOSE_MARK.search(text),
            _STACKED_MARKS.search(unicodedata.normalize("NFC", text)),
            _SAME_MARKS.search(unicodedata.normalize("NFD", text)),
        )
    )


def skeleton(text: str) -> str:
    """Return the form in which texts are equal if they look alike (UTS 39, section 4).

    Case is ignored after that. `paulI` and `paull` look alike, `pauli` does not.
    """
    prototypes = _prototypes()
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFD", text))
    replaced = "".join(prototypes.get(character, character) for character in plain)
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", replaced).casefold())


def bare_skeletons(text: str) -> set[str]:
    """Return the skeletons of a text and of its other case, without accents and punctuation."""
    return {
        "".join(it for it in _MARK.sub("", skeleton(form)) if it not in "_.-")
        for form in (text, text.casefold(), text.upper())
    }


@functools.cache
def _prototypes() -> dict[str, str]:
    """Return the prototype of each confusable character.

    The library lists every character beside its prototype, in both directions. What is beside
    several others is a prototype. Of a pair, either will do, if it is always the same.
    """
    # It takes 8 MiB, and only a process that gets a username needs it.
    from confusable_homoglyphs import confusables

    beside = {
        name: [_INVISIBLE.sub("", it["c"]) for it in found]
        for name, found in confusables.confusables_data.items()
    }
    return {
        name: found[0]
        for name, found in beside.items()
        if len(name) == 1 and len(found) == 1 and not _is_prototype(name, found[0], beside)
    }


def _is_prototype(name: str, other: str, beside: dict[str, list[str]]) -> bool:
    return len(other) == 1 and len(beside.get(other, ())) == 1 and name < other
