"""The best few of many, of which no more are kept in memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator


class Top[T]:
    """The `most` smallest of all that is offered, smallest first; equal ones in the order of what they are."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: list[T] = []

    def offer(self, found: Iterable[T]) -> None:
        """Take more."""
        self._kept = heapq.nsmallest(self._most, {*self._kept, *found})  # type: ignore[type-var]

    def __iter__(self) -> Iterator[T]:
        return iter(self._kept)
