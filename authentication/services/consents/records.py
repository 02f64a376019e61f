"""Building block: what a person has agreed to, and what they have still to agree to."""

import datetime as dt
from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authentication.models import Consent, User
from authentication.services.audit import Event, record
from authentication.utils.client import ClientInfo

Document = Consent.Document


def current_versions() -> dict[str, str]:
    """Return the version in force of each document."""
    return {
        Document.TERMS: settings.TERMS_VERSION,
        Document.PRIVACY_POLICY: settings.PRIVACY_POLICY_VERSION,
    }


def accepted_versions(user: User) -> dict[str, str]:
    """Return the version of each document that a person agreed to last; empty where they never did."""
    return {
        Document.TERMS: user.terms_version,
        Document.PRIVACY_POLICY: user.privacy_policy_version,
    }


def outstanding_consents(user: User) -> dict[str, str]:
    """Return the versions in force that a person has not agreed to."""
    accepted = accepted_versions(user)
    return {
        document: version
        for document, version in current_versions().items()
        if accepted[document] != version
    }


def record_consent(user: User, documents: Collection[str], *, client: ClientInfo) -> None:
    """Note that a person agrees to the versions in force of documents that are due; of others nothing is noted."""
    now, versions = timezone.now(), outstanding_consents(user)
    fresh = {document: versions[document] for document in documents if document in versions}
    if fresh:
        with transaction.atomic():
            user.save(update_fields=set_consent_fields(user, fresh, at=now))
            create_consent_rows(user, fresh, client=client, at=now)
            record(Event.CONSENT_GIVEN, user_id=user.pk, client=client, versions=fresh)


def set_consent_fields(user: User, documents: Collection[str], *, at: dt.datetime) -> list[str]:
    """Note on an account, without storing it, that its person agrees; return the fields that were set."""
    versions, fields = current_versions(), []
    for document in documents:
        setattr(user, f"{document}_version", versions[document])
        setattr(user, f"{document}_accepted_at", at)
        fields += [f"{document}_version", f"{document}_accepted_at"]
    return fields


def create_consent_rows(
    user: User, documents: Collection[str], *, client: ClientInfo, at: dt.datetime
) -> None:
    """Store which versions a person agrees to, when and from where, in the caller's transaction.

    Agreeing twice keeps the first time.
    """
    versions = current_versions()
    Consent.objects.bulk_create(
        [
            Consent(
                user=user,
                document=document,
                version=versions[document],
                accepted_at=at,
                ip_address=client.ip_address,
                user_agent=client.user_agent,
            )
            for document in documents
        ],
        ignore_conflicts=True,
    )
