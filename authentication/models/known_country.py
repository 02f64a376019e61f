"""Countries from which an account has been used."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.db import models


class KnownCountryQuerySet(models.QuerySet["KnownCountry"]):
    """Known countries, found by their account."""

    def by_user(self, user_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list["KnownCountry"]]:
        """Return the countries of accounts, in one query."""
        found: dict[uuid.UUID, list[KnownCountry]] = {}
        for row in self.filter(user_id__in=user_ids):
            found.setdefault(row.user_id, []).append(row)
        return found

    def is_new(self, user_id: uuid.UUID, country: str, *, at: dt.datetime) -> bool:
        """Return whether an account was known in other countries, and not in this one, by then."""
        known = set(
            self.filter(user_id=user_id, created_at__lt=at).values_list("country", flat=True)
        )
        return bool(country and known) and country not in known

    def store(self, rows: Iterable["KnownCountry"]) -> None:
        """Store new and changed rows in one statement; raises IntegrityError without an account."""
        # Ordered, so that two who store the same rows do not deadlock.
        self.bulk_create(
            sorted(rows, key=lambda it: (it.user_id, it.country)),
            update_conflicts=True,
            unique_fields=["user", "country"],
            update_fields=["ip_address", "last_used_at"],
        )

    def forget_since(self, user_id: uuid.UUID, moment: dt.datetime) -> None:
        """Forget the countries in which an account was used first since then."""
        self.filter(user_id=user_id, created_at__gte=moment).delete()


class KnownCountry(models.Model):
    """A country from which an account was used, by its code, and the address of the last use."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,  # `known_country_unique` begins with it.
    )
    country = models.CharField(max_length=2)
    ip_address = models.GenericIPAddressField()
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()

    objects: ClassVar[Any] = KnownCountryQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["last_used_at"], name="known_country_last_used"),)
        constraints = (
            models.UniqueConstraint(fields=["user", "country"], name="known_country_unique"),
        )

    def __str__(self) -> str:
        return f"{self.country} of {self.user_id}"
