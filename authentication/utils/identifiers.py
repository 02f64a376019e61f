"""Validation of email addresses and usernames, and the canonical forms they are compared in."""

import re
import unicodedata

import idna
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from . import lookalikes
from .crypto import digest

EMAIL_MAX_LENGTH = 254
USERNAME_MIN_LENGTH = 3
USERNAME_MAX_LENGTH = 30

_GMAIL = {"gmail.com", "googlemail.com"}
_PUNCTUATION = "_.-"
# Unicode's Default_Ignorable_Code_Point: marks, fillers and selectors without a glyph.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# Accounts are found by the canonical form, which is stored. So this table does not change with
# Unicode. What looks alike besides is found by the skeleton (utils/lookalikes.py).
_LOOKALIKES = str.maketrans(
    # Cyrillic
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d"
    "\u043a\u043c\u0442\u043d\u0432\u0433\u0491"
    # Greek
    "\u03b1\u03bf\u03c1\u03bd\u03b9\u03ba\u03c5\u03c7\u03c4\u03b5\u03b7\u03c9"
    # Armenian
    "\u0585\u057d\u0570\u0578\u0581"
    # Latin: the dotless i
    "\u0131",
    "aeopcyxijshdqwkmthbrraopvikuxtenwouhngi",
)

_RESERVED = """
    about account accounts admin administrator anonymous api auth billing contact email everyone
    fellowship guest help host info login logout mail me member members moderator nobody noreply
    no-reply null official operator owner pastor postmaster privacy profile register root security
    service settings signin signup staff superuser support system team terms test undefined user
    username users vineyard webmaster www
"""
RESERVED_USERNAMES = frozenset(_RESERVED.split())


def canonical_email(address: str) -> str:
    """Return the canonical form of an email address, valid or not.

    It is NFKC and lower case, with the domain in IDNA. Gmail ignores dots and +tags, so they are
    removed from its addresses.
    """
    # Only ASCII letters become lower case. Four other letters map to ASCII ones, and lower() and
    # casefold() differ in which.
    local, _, domain = unicodedata.normalize("NFKC", address).strip().rpartition("@")
    local, domain = _ascii_lower(local), _ascii_domain(domain)
    if domain in _GMAIL:
        local, domain = local.partition("+")[0].replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def clean_email(address: str) -> str:
    """Return a valid email address as it is stored and written to: as typed, in NFKC.

    Raises ValueError with a message for the user if the address is invalid.
    """
    typed = unicodedata.normalize("NFKC", address).strip()
    if len(typed) > EMAIL_MAX_LENGTH:
        raise ValueError(
            _("Enter an email address of at most {length} characters.").format(
                length=EMAIL_MAX_LENGTH
            )
        )
    try:
        found = validate_email(
            typed,
            allow_smtputf8=False,
            check_deliverability=False,
            test_environment=True,
            strict=True,
        )
    except EmailNotValidError as error:
        raise ValueError(_("Enter a valid email address.")) from error
    # A Gmail address of only dots or a tag has no local part left in its canonical form.
    if not found.ascii_email or canonical_email(typed).startswith("@"):
        raise ValueError(_("Enter a valid email address."))
    return typed if typed.isascii() else found.ascii_email


def remove_invisible(text: str) -> str:
    """Return a text without characters that have no glyph (Default_Ignorable_Code_Point)."""
    return _INVISIBLE.sub("", text)


def canonical_username(username: str) -> str:
    """Return the canonical form of a username: caseless, with look-alike letters replaced."""
    folded = unicodedata.normalize(
        "NFKC", unicodedata.normalize("NFKC", username).strip().casefold()
    )
    # NFD separates letters from accents, so that accented look-alikes are replaced too.
    plain = unicodedata.normalize("NFD", remove_invisible(folded)).translate(_LOOKALIKES)
    # The Turkish capital dotted I folds to i and a combining dot.
    return unicodedata.normalize("NFC", plain.replace("i\u0307", "i"))


def canonical_identifier(identifier: str) -> str:
    """Return the canonical form of a sign-in name: an email address if it has an @."""
    normal = unicodedata.normalize("NFKC", identifier)
    return canonical_email(normal) if "@" in normal else canonical_username(normal)


def clean_username(username: str) -> str:
    """Return a valid username as it is stored and shown, in NFKC.

    Raises ValueError with a message for the user if the name is shorter than 3 or longer than 30
    characters, reserved, or could be mistaken for another.
    """
    name = unicodedata.normalize("NFKC", username).strip()
    if not USERNAME_MIN_LENGTH <= len(name) <= USERNAME_MAX_LENGTH:
        raise ValueError(
            _("Choose a username of {shortest} to {longest} characters.").format(
                shortest=USERNAME_MIN_LENGTH, longest=USERNAME_MAX_LENGTH
            )
        )
    if (
        lookalikes.is_invisible_in(name)
        or lookalikes.is_decorative_in(name)
        or not all(_is_allowed(character) for character in name)
    ):
        raise ValueError(_("Use only letters, digits, and the characters _ . - in a username."))
    if not any(_is_letter_or_digit(character) for character in name):
        raise ValueError(_("Use at least one letter or digit in a username."))
    if not lookalikes.has_one_alphabet(name):
        raise ValueError(_("Use the letters of one alphabet in a username."))
    if lookalikes.has_loose_marks(name):
        raise ValueError(_("Use accents only on letters in a username, and no more than usual."))
    if _RESERVED_SKELETONS & (
        lookalikes.bare_skeletons(name) | lookalikes.bare_skeletons(canonical_username(name))
    ):
        raise ValueError(_("This username is reserved."))
    return name


def username_skeleton(username: str) -> str:
    """Return the SHA-256 of a username's skeleton: equal for names that look alike."""
    return digest(lookalikes.skeleton(unicodedata.normalize("NFKC", username).strip()))


def _ascii_lower(text: str) -> str:
    return "".join(character.lower() if character.isascii() else character for character in text)


def _ascii_domain(domain: str) -> str:
    bare = _ascii_lower(domain).rstrip(".")
    try:
        return bare if bare.isascii() else idna.encode(bare, uts46=True).decode("ascii")
    except idna.IDNAError:
        return bare


def _is_letter_or_digit(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("L") or category == "Nd"


def _is_allowed(character: str) -> bool:
    return (
        _is_letter_or_digit(character)
        or character in _PUNCTUATION
        or unicodedata.category(character) in {"Mn", "Mc"}
    )


_RESERVED_SKELETONS = frozenset[str]().union(*map(lookalikes.bare_skeletons, RESERVED_USERNAMES))
