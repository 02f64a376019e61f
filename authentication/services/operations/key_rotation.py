"""Key rotation: encrypts secrets again with the newest key."""

from collections.abc import Callable

from django.db import connection
from django.db.models import QuerySet

from authentication.models import SecondFactor
from authentication.services.sign_in import seed_context
from authentication.utils.encryption import decrypt, encrypt, key_ids, newest_key_id

_FIELDS = ("seed", "pending_seed")


class EncryptionService:
    """Key rotation: encrypts secrets again with the newest key."""

    @staticmethod
    def count_outdated() -> int:
        """Return how many texts are encrypted with an older key."""
        return sum(_outdated(field).count() for field in _FIELDS)

    @staticmethod
    def count_unreadable() -> int:
        """Return how many texts are encrypted with a key that the settings lack."""
        table = SecondFactor._meta.db_table  # noqa: SLF001 -- Django documents it
        if table not in connection.introspection.table_names():
            # Nothing is migrated yet.
            return 0
        return sum(_unreadable(field).count() for field in _FIELDS)

    @staticmethod
    def renew(*, on_each: Callable[[], None] = lambda: None) -> int:
        """Encrypt again what an older key encrypted, and return how many texts.

        A text is replaced only if it is still the one that was read: a concurrent change uses the
        newest key already. The run may be stopped and started again at any time.

        Raises DecryptionError if the key of a text is missing.
        """
        done = 0
        for field in _FIELDS:
            for user_id, old in _outdated(field).values_list("user_id", field).iterator():
                context = seed_context(user_id)
                renewed = encrypt(decrypt(old, context=context), context=context)
                done += SecondFactor.objects.filter(user_id=user_id, **{field: old}).update(
                    **{field: renewed}
                )
                on_each()
        return done


def _unreadable(field: str) -> QuerySet[SecondFactor]:
    found = SecondFactor.objects.exclude(**{field: ""})
    for key_id in key_ids():
        found = found.exclude(**{f"{field}__startswith": key_id})
    return found


def _outdated(field: str) -> QuerySet[SecondFactor]:
    with_text = SecondFactor.objects.exclude(**{field: ""})
    return with_text.exclude(**{f"{field}__startswith": newest_key_id()})
