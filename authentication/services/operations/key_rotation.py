"""Key rotation: encrypts secrets again with the newest key."""

import dataclasses
import uuid
from collections.abc import Callable, Iterator

from django.db import connection, transaction
from django.db.models import QuerySet

from authentication.models import SecondFactor
from authentication.services.audit import record_action
from authentication.services.operators import Operator
from authentication.services.sign_in import seed_context
from authentication.utils.client import ClientInfo
from authentication.utils.encryption import (
    DecryptionError,
    decrypt,
    encrypt,
    key_ids,
    newest_key_id,
)

_OFFERED = "pending_seed"
_FIELDS = ("seed", _OFFERED)
_BATCH = 500


@dataclasses.dataclass(slots=True)
class Renewal:
    """How many texts were encrypted again, and whose could not be read."""

    renewed: int = 0
    unreadable: list[uuid.UUID] = dataclasses.field(default_factory=list)


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
    def renew(
        *,
        operator: Operator,
        client: ClientInfo,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> Renewal:
        """Encrypt again what an older key encrypted, 500 texts in a transaction.

        A text is replaced only if it is still the one that was read: a concurrent change uses the
        newest key already. The run may be stopped and started again at any time: what is done is
        not done twice. A seed that cannot be read stays as it is, and stops no other; one that was
        only offered is withdrawn, so that its user begins again.
        A run that was stopped leaves no event.
        """
        done = Renewal()
        for field in _FIELDS:
            for texts in _batches(field):
                with transaction.atomic():
                    for user_id, text in texts:
                        _renew(field, user_id, text, done)
                on_batch(len(texts))
        record_action(
            "reencrypt",
            user_id=None,
            client=client,
            renewed=done.renewed,
            unreadable=len(done.unreadable),
            **operator.facts(),
        )
        return done


def _unreadable(field: str) -> QuerySet[SecondFactor]:
    found = SecondFactor.objects.exclude(**{field: ""})
    for key_id in key_ids():
        found = found.exclude(**{f"{field}__startswith": key_id})
    return found


def _renew(field: str, user_id: uuid.UUID, old: str, done: Renewal) -> None:
    context = seed_context(user_id)
    same = SecondFactor.objects.filter(user_id=user_id, **{field: old})
    try:
        renewed = encrypt(decrypt(old, context=context), context=context)
    except DecryptionError:
        if field == _OFFERED:
            same.withdraw(user_id)
        else:
            done.unreadable.append(user_id)
        return
    done.renewed += same.update(**{field: renewed})


def _batches(field: str) -> Iterator[list[tuple[uuid.UUID, str]]]:
    """Yield the outdated texts in the order of their users: an unreadable one is met once."""
    ordered = _outdated(field).order_by("pk").values_list("pk", field)
    batch = list(ordered[:_BATCH])
    while batch:
        yield batch
        batch = list(ordered.filter(pk__gt=batch[-1][0])[:_BATCH])


def _outdated(field: str) -> QuerySet[SecondFactor]:
    with_text = SecondFactor.objects.exclude(**{field: ""})
    return with_text.exclude(**{f"{field}__startswith": newest_key_id()})
