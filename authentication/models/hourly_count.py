"""Counts by hour: of events in the audit log, and of the devices that were signed in."""

import datetime as dt
from typing import Any, ClassVar

from django.db import models

from .log_mark import LogMark


class HourlyCountQuerySet(models.QuerySet[Any]):
    """Counts, written by one counter at a time."""

    def add(self, hour: dt.datetime, counted: dict[str, int]) -> None:
        """Add to the counts of an hour. Call it after `CountedUntil.objects.advance`.

        That statement locks the one row that all counters need, so nothing comes between reading
        and writing here.
        """
        before = dict(self.filter(hour=hour, name__in=counted).values_list("name", "count"))
        rows = [
            HourlyCount(hour=hour, name=name, count=before.get(name, 0) + number)
            for name, number in counted.items()
        ]
        self.bulk_create(
            rows, update_conflicts=True, unique_fields=["hour", "name"], update_fields=["count"]
        )


class HourlyCount(models.Model):
    """How often something happened in an hour. It names no account, address or device."""

    hour = models.DateTimeField()
    # The type of an event, `devices:` and a kind of device, or `countries:` and a country's code.
    name = models.CharField(max_length=64)
    count = models.PositiveBigIntegerField()

    objects: ClassVar[Any] = HourlyCountQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["hour", "name"], name="hourly_count_once"),)

    def __str__(self) -> str:
        return f"{self.name} {self.hour:%Y-%m-%d %H:%M}: {self.count}"


class CountedUntil(LogMark):
    """The time before which all events are in the hourly counts."""

    class Meta:
        constraints = (
            models.CheckConstraint(name="counted_until_one_row", condition=models.Q(pk=1)),
        )
