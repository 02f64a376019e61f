"""Which documents are accepted, and recording new consents."""

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
    """Return the current version of each document."""
    return {
        Document.TERMS: settings.TERMS_VERSION,
        Document.PRIVACY_POLICY: settings.PRIVACY_POLICY_VERSION,
    }


def accepted_versions(user: User) -> dict[str, str]:
    """Return the version of each document that a user accepted last, or an empty string."""
    return {
        Document.TERMS: user.terms_version,
        Document.PRIVACY_POLICY: user.privacy_policy_version,
    }


def outstanding_consents(user: User) -> dict[str, str]:
    """Return the current versions that a user has not accepted, by document."""
    accepted = accepted_versions(user)
    return {
        document: version
        for document, version in current_versions().items()
        if accepted[document] != version
    }


def record_consent(user: User, documents: Collection[str], *, client: ClientInfo) -> None:
    """Record that a user accepts the current versions of documents.

    Documents that are already accepted are skipped.
    """
    now, versions = timezone.now(), outstanding_consents(user)
    fresh = {document: versions[document] for document in documents if document in versions}
    if fresh:
        with transaction.atomic():
            user.save(update_fields=set_consent_fields(user, fresh, at=now))
            create_consent_rows(user, fresh, client=client, at=now)
            record(Event.CONSENT_GIVEN, user_id=user.pk, client=client, versions=fresh)


def set_consent_fields(user: User, documents: Collection[str], *, at: dt.datetime) -> list[str]:
    """Set the consent fields of a user without saving; return the names of the fields."""
    versions, fields = current_versions(), []
    for document in documents:
        setattr(user, f"{document}_version", versions[document])
        setattr(user, f"{document}_accepted_at", at)
        fields += [f"{document}_version", f"{document}_accepted_at"]
    return fields


def create_consent_rows(
    user: User, documents: Collection[str], *, client: ClientInfo, at: dt.datetime
) -> None:
    """Store one consent for each document, with time, IP address and user agent.

    A consent that exists already stays unchanged.
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
