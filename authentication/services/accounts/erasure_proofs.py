"""Proof that an account was erased, by a receipt."""

import dataclasses
import datetime as dt

from django.conf import settings

from authentication.models import AuditLog, User
from authentication.services.audit import Event, Risk, record_action
from authentication.services.operators import Operator
from authentication.utils.client import ClientInfo
from authentication.utils.crypto import digest
from authentication.utils.receipts import canonical_receipt


@dataclasses.dataclass(frozen=True, slots=True)
class Proof:
    """When the account of a receipt was erased, or when it is due."""

    erased_at: dt.datetime | None = None
    due_at: dt.datetime | None = None


class ErasureProofService:
    """Looks erasures up by the receipts that people were given."""

    @staticmethod
    def find(receipt: str, *, operator: Operator, client: ClientInfo) -> Proof:
        """Return when the account of a receipt was erased; an empty proof if nothing is known.

        Only a hash of the receipt is stored. It names nobody.
        """
        held = digest(canonical_receipt(receipt))
        events = AuditLog.objects.filter(event_type=Event.ACCOUNT_ERASED, metadata__receipt=held)
        erased_at = events.values_list("timestamp", flat=True).first()
        leaving = User.objects.filter(deletion_receipt=held, deletion_requested_at__isnull=False)
        requested_at = leaving.values_list("deletion_requested_at", flat=True).first()
        due_at = requested_at + settings.ACCOUNT_DELETION_GRACE if requested_at else None
        proof = Proof(erased_at, due_at)
        record_action(
            "find_erasure",
            user_id=None,
            client=client,
            risk=Risk.LOW,
            found=proof != Proof(),
            **operator.facts(),
        )
        return proof
