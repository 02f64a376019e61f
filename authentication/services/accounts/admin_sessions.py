"""Django's sessions of one account: they have no column that names it."""

import binascii
import json
import uuid
import zlib
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.signing import b64_decode


def delete_admin_sessions(user_id: uuid.UUID) -> None:
    """Delete an account's sessions of the admin, also from the cache.

    All rows are read. There are few: only staff have such a session, and expired ones are deleted
    every hour.
    """
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    for key, data in Session.objects.values_list("session_key", "session_data").iterator():
        if _content_of(data).get(SESSION_KEY) == str(user_id):
            store(key).delete()


def _content_of(data: str) -> dict[str, Any]:
    """Return what a session holds.

    The signature is not looked at (django.core.signing.loads would): the key may have been rotated.
    """
    payload = data.rsplit(":", 2)[0]
    try:
        raw = b64_decode(payload.removeprefix(".").encode())
        found = json.loads(zlib.decompress(raw) if payload.startswith(".") else raw)
    except (ValueError, binascii.Error, zlib.error):
        return {}
    return found if isinstance(found, dict) else {}
