"""What a log comes to after some of its entries, `<prefix>/sums/<n>.<kind>`, so that nobody reads a long log whole.

A sum is made of entries that stay, so one may be lost. Two stay: who has found the older one may be about to read it.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import BinaryIO, Final

import pyarrow as pa

from pipelines.store.base import NotFoundError, Store, StoreError

KEPT: Final = 2
ATTEMPTS: Final = 10


class Sums:
    """The sums of the log below a prefix; `kind` is how their names end."""

    def __init__(self, store: Store, prefix: str, kind: str) -> None:
        self._store, self._prefix, self._kind = store, prefix, kind
        self.folder = f"{prefix}/sums"

    def newest[T](self, read: Callable[[int, BinaryIO], T], none: T) -> T:
        """Return what `read` makes of the newest sum, given the entry after which it holds; `none` where there is none.

        Raises StoreError for a damaged one, of which `read` raises ArrowException, ValueError or OSError.
        """
        for _ in range(ATTEMPTS):
            names = self._names()
            if not names:
                return none
            try:
                return self._read(names[-1], read)
            except NotFoundError:  # others have summed up twice since it was listed
                continue
        raise StoreError(f"{self._store.uri}/{self.folder} changes all the time; stop what appends entries in a loop")

    def keep(self, number: int, data: bytes) -> None:
        """Keep a sum after entry `number`, and remove those that nobody begins with any more."""
        self._store.create(f"{self.folder}/{number:08d}.{self._kind}", data)
        for name in self._names()[:-KEPT]:
            self._store.delete(name)

    def _read[T](self, name: str, read: Callable[[int, BinaryIO], T]) -> T:
        with self._store.open(name) as file:
            try:
                return read(int(name.rpartition("/")[2].partition(".")[0]), file)
            except (pa.ArrowException, ValueError, OSError) as error:
                raise StoreError(
                    f"{self._store.uri}/{name} is damaged ({error}); delete it: what it sums up is in the entries of "
                    f"{self._prefix}/"
                ) from error

    def _names(self) -> list[str]:
        return [entry.name for entry in sorted(self._store.list(self.folder), key=attrgetter("name"))]
