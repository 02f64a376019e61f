"""Letters that are easily confused, and the form in which a text is stored."""

from collections.abc import Callable

DOTLESS_I, DOTTED_I, LONG_S, KELVIN = "\u0131", "\u0130", "\u017f", "\u212a"


def accepted(check: Callable[[str], str], text: str) -> str:
    """Return a text in the form in which it is stored; nothing if it is refused."""
    try:
        return check(text)
    except ValueError:
        return ""
