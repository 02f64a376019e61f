"""Checks after a right password: a pending deletion, a missing consent."""

from collections.abc import Collection

from django.conf import settings

from authentication.exceptions import AccountDeletionPending, ConsentRequired
from authentication.models import User
from authentication.services.consents import outstanding_consents, record_consent
from authentication.utils.client import ClientInfo


def admit(user: User, *, documents: Collection[str], restore: bool, client: ClientInfo) -> None:
    """Check that no deletion is pending or `restore` cancels it, and record the `documents`.

    Raises AccountDeletionPending, with the time of the erasure, or ConsentRequired, with the
    versions to agree to.
    """
    if user.deletion_requested_at and not restore:
        due_at = user.deletion_requested_at + settings.ACCOUNT_DELETION_GRACE
        raise AccountDeletionPending(members={"deletion_at": due_at})
    missing = {
        document: version
        for document, version in outstanding_consents(user).items()
        if document not in documents
    }
    if settings.REQUIRE_CURRENT_CONSENT and missing:
        raise ConsentRequired(members={"documents": missing})
    record_consent(user, documents, client=client)
