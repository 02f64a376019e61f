"""Texts, addresses and usernames for property tests, and other spellings of them."""

import unicodedata

from hypothesis import strategies as st

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=40)
# Letters of one script: some look like those of another, change their length with their case or
# combine.
ALPHABETS = (
    "abcxyzABCIT\u00e9\u00df\u0130\u0131\u017f\u212a\uff52\uff35\ufb03",
    "\u0430\u0435\u043e\u0441\u0440\u0445\u0456\u0423\u0416\u0451",
    "\u03b1\u03bf\u03c1\u03c2\u03a3\u03af\u0390\u1f80",
    "\u0585\u0587\u057d\u0548",
    "\u05d0\u05e9",
    "\u0627\u0628\ufefb",
    "\u4e2d\u3042\u30a2\uff76",
    "\u1100\u1161\uac00",
)
MARKS = "\u0301\u0308\u0327\u0345\u030c"
DIGITS = "0179_.-"
TRAPS = "\u00ad\u034f\u115f\u200b\u200e\u202e\u2066\u3164\ufe0f\U000e0100 @\r\n\x00\u0085\u2028"


def usernames() -> st.SearchStrategy[str]:
    def of(alphabet: str) -> st.SearchStrategy[str]:
        letters = st.sampled_from(alphabet)
        # Marks that begin a name or stand on each other are refused.
        marked = st.builds("{}{}".format, letters, st.sampled_from(MARKS))
        parts = st.one_of(letters, letters, marked, st.sampled_from(DIGITS))
        # The length leaves room for letters that are three in their normal form.
        return st.lists(parts, min_size=4, max_size=12).map("".join)

    return st.sampled_from(ALPHABETS).flatmap(of)


def usernames_with_traps() -> st.SearchStrategy[str]:
    return st.builds(
        "{}{}{}".format, usernames(), st.sampled_from(TRAPS), st.sampled_from(["", "a", "9"])
    )


def addresses() -> st.SearchStrategy[str]:
    atoms = st.text("abIK09+-_'\u212a\uff41", min_size=1, max_size=30)
    names = st.builds("{}{}{}".format, atoms, st.sampled_from(["", "", ".", "\u0131", "+"]), atoms)
    labels = st.text("abZ09\u00fc\u00df\u4e2d\uff41", min_size=1, max_size=20)
    made_up = st.lists(labels, min_size=1, max_size=12).map(lambda found: ".".join([*found, "org"]))
    domains = st.one_of(
        st.sampled_from(["gmail.com", "GoogleMail.com", "example.org", "b\u00fccher.example"]),
        made_up,
    )
    return st.builds(
        "{}@{}{}".format, names, domains, st.sampled_from(["", "", "", "\n", " ", "\u3002"])
    )


def fullwidth(text: str) -> str:
    return "".join(chr(ord(it) + 0xFEE0) if "!" <= it <= "~" else it for it in text)


def ascii_swapcase(text: str) -> str:
    return "".join(it.swapcase() if it.isascii() else it for it in text)


def padded(text: str) -> str:
    return f" {text}\u3000"


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", text)


SPELLINGS_OF_USERNAMES = (
    str.upper,
    str.lower,
    str.casefold,
    str.title,
    fullwidth,
    decomposed,
    padded,
)
SPELLINGS_OF_ADDRESSES = (ascii_swapcase, fullwidth, padded, lambda address: f"{address}.")
