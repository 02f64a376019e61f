"""What an event or a mail is stored with, in lines for staff instead of JSON."""

import uuid
from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from authentication.models import User
from authentication.utils.device_words import spoken

from .event_words import ACTIONS
from .words import name_of

KEYS: dict[str, Any] = {
    "action": _("Action"),
    "actor": _("Done by"),
    "operator": _("Operator"),
    "reason": _("Reason"),
    "count": _("Number"),
    "bulk_id": _("Bulk action"),
    "device": _("Device"),
    "fields": _("Fields"),
    "group": _("Group"),
    "given": _("Rights given"),
    "taken": _("Rights taken"),
    "role": _("Role"),
    "session": _("Session"),
    "version": _("Version"),
    "document": _("Document"),
    "country": _("Country"),
}
"""Words for the keys that are most common; others are shown as they are."""

_PEOPLE = {"actor", "user", "requested_by", "confirmed_by"}


def lines_of(facts: Any) -> list[str]:
    """Return each fact as "key: value", with the names of people for their ids, in one query."""
    if not isinstance(facts, dict):
        return [str(facts)] if facts else []
    names = names_of({str(facts[key]) for key in _PEOPLE & facts.keys()})
    return [f"{_key(key)}: {_value(key, value, names)}" for key, value in facts.items()]


def names_of(ids: Collection[str]) -> dict[str, str]:
    """Return the names of people by their ids as events have them, in one query."""
    found: dict[str, str] = {}
    if "command line" in ids:
        found["command line"] = gettext("on the server")
    known = [it for it in ids if _is_id(it)]
    people: Any = User.objects.filter(pk__in=known) if known else ()
    return found | {str(it.pk): name_of(it) for it in people}


def _key(key: str) -> str:
    return str(KEYS.get(key) or key.replace("_", " ").capitalize())


def _value(key: str, value: Any, names: dict[str, str]) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(str(it) for it in value)
    text = str(value)
    if key == "action":
        return str(ACTIONS.get(text) or text.replace("_", " "))
    return spoken(text) if key == "device" else names.get(text, text)


def _is_id(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
