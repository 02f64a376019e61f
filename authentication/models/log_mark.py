"""Marks in the audit log: the time before which a task has read all events."""

import datetime as dt
from typing import Any, ClassVar

from django.db import models


class LogMarkQuerySet(models.QuerySet[Any]):
    """The one row, moved forward by one of several workers."""

    def begin(self, moment: dt.datetime) -> None:
        """Store where the reading begins, unless that is stored already."""
        self.bulk_create([self.model(pk=1, moment=moment)], ignore_conflicts=True)

    def moment(self) -> dt.datetime | None:
        """Return the time before which all events are read; None before the first reading."""
        return self.values_list("moment", flat=True).first()

    def advance(self, *, since: dt.datetime, to: dt.datetime) -> bool:
        """Claim the events of a time; False if another worker has. Call it in a transaction."""
        return bool(self.filter(pk=1, moment=since).update(moment=to))


class LogMark(models.Model):
    """A table of one row: the time before which all events are read."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    moment = models.DateTimeField()

    objects: ClassVar[Any] = LogMarkQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"read until {self.moment:%Y-%m-%d %H:%M}"


class ExaminedUntil(LogMark):
    """The time before which unusual uses of accounts are looked for."""

    class Meta:
        constraints = (
            models.CheckConstraint(name="examined_until_one_row", condition=models.Q(pk=1)),
        )
