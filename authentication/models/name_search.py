"""Accounts found by words of their names."""

import functools
import re
import unicodedata
from typing import Any, Self

from django.db import connections, models
from django.db.models import F, Func, Value
from django.db.models.functions import Replace

from .account_deletion import AccountDeletionQuerySet

_MOST_WORDS, _LONGEST_WORD = 5, 150
# If more accounts than these match, a page of the newest is found soon in the order of the list.
_FEW = 3_000

# The expression of the index `user_names` (migration 0030).
_NAMES = Func(
    F("first_name"),
    F("last_name"),
    Func(F("username"), template="translate(%(expressions)s, '._-', '   ')"),
    template="to_tsvector('simple', %(expressions)s)",
    arg_joiner=" || ' ' || ",
    output_field=models.TextField(),
)


def _without_marks(name: Any) -> Any:
    return functools.reduce(lambda it, mark: Replace(it, Value(mark), Value(" ")), "._-", name)


# For SQLite, where no index serves a search for words.
_PLAIN_NAMES = Func(
    Value(""),
    F("first_name"),
    F("last_name"),
    _without_marks(F("username")),
    template="%(expressions)s",
    arg_joiner=" || ' ' || ",
    output_field=models.TextField(),
)


class NameSearchQuerySet(AccountDeletionQuerySet):
    """Accounts found by words of their names."""

    def with_names(self, text: str) -> Self:
        """Return the accounts with a name that begins with each word of a text.

        Names are the first and the last name and the parts of the username.
        """
        parts = re.split(r"[\W_]+", unicodedata.normalize("NFKC", text).lower())
        words = [part for part in parts if part][:_MOST_WORDS]
        if not words or max(map(len, words)) > _LONGEST_WORD:
            return self.none()
        if connections[self.db].vendor == "postgresql":
            return self._few_or_many(_matching(words))
        found = self.annotate(names=_PLAIN_NAMES)
        for word in words:
            found = found.filter(names__icontains=f" {word}")
        return found

    def _few_or_many(self, condition: Any) -> Self:
        """Return the accounts of a condition, by a plan that fits their number.

        PostgreSQL cannot know how many names begin with a word. If they are many, it should read
        the list in its order until a page is full. If they are few, that would read all accounts.
        """
        found = self.filter(condition)
        few = list(found.order_by().values_list("pk", flat=True)[: _FEW + 1])
        return found if len(few) > _FEW else self.filter(pk__in=few)


def _matching(words: list[str]) -> Func:
    query = Value(" & ".join(f"'{word}':*" for word in words))
    return Func(
        _NAMES,
        Func(query, template="to_tsquery('simple', %(expressions)s)"),
        template="%(expressions)s",
        arg_joiner=" @@ ",
        output_field=models.BooleanField(),
    )
