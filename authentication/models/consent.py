"""Consents to the terms and the privacy policy (GDPR, article 7)."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class Consent(models.Model):
    """The consent of a user to one version of a document. Rows are never changed."""

    class Document(models.TextChoices):
        """The documents that need consent."""

        TERMS = "terms"
        PRIVACY_POLICY = "privacy_policy"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    document = models.CharField(max_length=16, choices=Document.choices)
    version = models.CharField(max_length=32)
    accepted_at = models.DateTimeField(default=timezone.now)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=512, blank=True, default="")

    class Meta:
        indexes = (models.Index(fields=["accepted_at"], name="consent_accepted_at"),)
        constraints = (
            # The index of this constraint also serves queries by user.
            models.UniqueConstraint(
                fields=["user", "document", "version"], name="consent_once_a_version"
            ),
            models.CheckConstraint(
                name="consent_document_known",
                condition=models.Q(document__in=["terms", "privacy_policy"]),
            ),
        )

    def __str__(self) -> str:
        return f"{self.document} {self.version} by {self.user_id}"
