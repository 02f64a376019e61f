"""Bar charts as SVG: sizes of bars, and the same numbers as a table. No script draws them."""

import dataclasses
from collections.abc import Sequence

from django.utils.formats import number_format
from django.utils.translation import gettext

WIDTH, HEIGHT = 600, 120
"""The size of the drawing in its own units; the page scales it."""

_GAP = 0.25


@dataclasses.dataclass(frozen=True, slots=True)
class Series:
    """One number for each column of a chart."""

    label: str
    values: Sequence[int]

    @property
    def total(self) -> str:
        """The sum, as people read it."""
        return number_format(sum(self.values), force_grouping=True)


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the drawing."""

    series: int
    x: float
    y: float
    width: float
    height: float


@dataclasses.dataclass(frozen=True, slots=True)
class Chart:
    """A chart: columns in the order of time, the series stacked in each."""

    name: str
    title: str
    of: str
    """What a column is: Hour, or Day."""
    columns: Sequence[str]
    series: Sequence[Series]

    width, height = WIDTH, HEIGHT

    @property
    def most(self) -> int:
        """The largest sum of a column."""
        return max((sum(column) for column in self._stacks()), default=0)

    @property
    def summary(self) -> str:
        """What the drawing shows, in words."""
        totals = ", ".join(f"{it.label}: {it.total}" for it in self.series)
        if not self.most:
            return f"{totals}."
        peak = max(range(len(self.columns)), key=lambda it: sum(self._stacks()[it]))
        text = gettext("{totals}; most at {time}.")
        return text.format(totals=totals, time=self.columns[peak])

    @property
    def ends(self) -> tuple[str, str, str]:
        """The labels of the first, the middle and the last column."""
        return self.columns[0], self.columns[len(self.columns) // 2], self.columns[-1]

    @property
    def bars(self) -> list[Bar]:
        """The rectangles of the drawing."""
        step = WIDTH / max(1, len(self.columns))
        width = round(step * (1 - _GAP), 2)
        found = []
        for column, stack in enumerate(self._stacks()):
            left, top = round(step * (column + _GAP / 2), 2), float(HEIGHT)
            for number, value in enumerate(stack):
                if value:
                    height = round(HEIGHT * value / self.most, 2)
                    top -= height
                    found.append(Bar(number, left, round(top, 2), width, height))
        return found

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The table: a label and the numbers of each column, the newest first."""
        numbers = [
            [number_format(value, force_grouping=True) for value in stack]
            for stack in self._stacks()
        ]
        return list(zip(self.columns, numbers, strict=True))[::-1]

    def _stacks(self) -> list[tuple[int, ...]]:
        return list(zip(*(it.values for it in self.series), strict=True))


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, drawn as one bar: `length` of WIDTH."""

    label: str
    count: str
    length: float


def shares(parts: dict[str, int]) -> list[Share]:
    """Return bars for the parts of a whole, the largest first."""
    most = max(parts.values(), default=0) or 1
    ordered = sorted(parts.items(), key=lambda it: -it[1])
    return [
        Share(label, number_format(count, force_grouping=True), round(WIDTH * count / most, 2))
        for label, count in ordered
    ]
