"""An append-only log of JSON entries, `<prefix>/<n>.json`, in which exactly one writer wins each n."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from pipelines.store.base import NotFoundError, Store, StoreError


class Log:
    """A log below a prefix of a store; entries are numbered from 1 without gaps."""

    def __init__(self, store: Store, prefix: str) -> None:
        self.store, self.prefix = store, prefix

    def head(self, known: int = 0) -> tuple[int, dict[str, Any]]:
        """Return the highest number and its entry, or (0, {}) of an empty log.

        Where `known` was the head, what is behind it is asked for, and nothing is listed.
        """
        if known:
            with suppress(NotFoundError):  # the store was made anew
                newest = known, self.entry(known)
                for newest in self.after(known):  # noqa: B007 - the last one is the head
                    pass
                return newest
        number = max(self._numbers(), default=0)
        return number, self.entry(number) if number else {}

    def entry(self, number: int) -> dict[str, Any]:
        """Return one entry. Raises NotFoundError, or StoreError when it is no JSON object."""
        value = self.store.read_json(self._name(number))
        if not isinstance(value, dict):
            raise StoreError(f"{self.store.uri}/{self._name(number)} holds {type(value).__name__}, not an object")
        return value

    def entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield all entries, oldest first."""
        for number in sorted(self._numbers()):
            yield number, self.entry(number)

    def after(self, number: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the entries behind a number, oldest first. One object is asked for in vain; nothing is listed."""
        while True:
            number += 1
            try:
                entry = self.entry(number)
            except NotFoundError:
                return
            yield number, entry

    def append(self, number: int, entry: dict[str, Any]) -> bool:
        """Create entry `number`, one more than the head the caller has seen; return False when another was faster."""
        if number < 1:
            raise ValueError(f"log entries are numbered from 1, not {number}")
        return self.store.create_json(self._name(number), entry)

    def _name(self, number: int) -> str:
        return f"{self.prefix}/{number:08d}.json"

    def _numbers(self) -> Iterator[int]:
        for entry in self.store.list(self.prefix):
            stem, dot, extension = entry.name.rsplit("/", 1)[-1].partition(".")
            if extension == "json" and dot and stem.isdigit():
                yield int(stem)
