"""A progress bar for commands."""

import time
from typing import Any, Self

_WIDTH = 30
_PAUSE_SECONDS = 0.1


class Progress:
    """A progress bar on a terminal, drawn at most ten times a second; elsewhere silent."""

    def __init__(self, label: str, total: int, stream: Any) -> None:
        self._label, self._total, self._stream = label, total, stream
        self._done, self._drawn_at = 0, 0.0
        self._shown = bool(total) and stream.isatty()

    def __enter__(self) -> Self:
        self._draw()
        return self

    def __exit__(self, *_: object) -> None:
        self._draw()
        if self._shown:
            self._stream.write("\n", ending="")

    def advance(self, count: int = 1) -> None:
        """Add to the count of what is done."""
        self._done += count
        if time.monotonic() - self._drawn_at >= _PAUSE_SECONDS:
            self._draw()

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        if not self._shown:
            return
        share = min(1.0, self._done / self._total)
        bar = "#" * int(share * _WIDTH)
        self._stream.write(
            f"\r{self._label} [{bar:<{_WIDTH}}] {share:4.0%} {self._done}/{self._total}", ending=""
        )
        self._stream.flush()
