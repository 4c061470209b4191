"""The items that were erased and must not come back, `erased/<n>.json`: known by salted hashes of their ids alone.

Who has the store and an id can tell whether it was erased; the ids themselves are nowhere.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pipelines.errors import StageError
from pipelines.runs.owner import person
from pipelines.store import Log, NotFoundError, Store

PREFIX: Final = "erased"
SALT: Final = f"{PREFIX}/salt.bin"
ERASE, ALLOW = "erase", "allow"
ATTEMPTS: Final = 1_000


@dataclass(frozen=True)
class Erased:
    """The state of the log after entry `number`; `hashes` are those of items that are refused."""

    number: int = 0
    salt: bytes = b""
    hashes: frozenset[str] = frozenset()

    def __contains__(self, item_id: str) -> bool:
        return bool(self.hashes) and self.hash_of(item_id) in self.hashes

    def hash_of(self, item_id: str) -> str:
        """Return what stands for an item in the log: 32 hex digits."""
        return hashlib.blake2b(item_id.encode(), key=self.salt, digest_size=16).hexdigest()


NOTHING_ERASED: Final = Erased()


def read_erased(store: Store) -> Erased:
    """Return which items were erased and not allowed since."""
    hashes, number = set[str](), 0
    for number, entry in Log(store, PREFIX).entries():  # noqa: B007 - the last one is the state's number
        hashes = hashes | {*entry["hashes"]} if entry["action"] == ERASE else hashes - {*entry["hashes"]}
    return Erased(number, _salt(store), frozenset(hashes))


def note(store: Store, action: str, item_ids: Iterable[str]) -> list[str]:
    """Note that items are erased, or allowed again; return those for which that is new.

    Raises StageError when others are always faster.
    """
    store.create(SALT, secrets.token_bytes(32))
    ids = list(item_ids)
    for _ in range(ATTEMPTS):
        erased = read_erased(store)
        wanted = [item_id for item_id in ids if (item_id in erased) != (action == ERASE)]
        hashes = [erased.hash_of(item_id) for item_id in wanted]
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"action": action, "hashes": hashes, "at": at, "by": person()}
        if not wanted or Log(store, PREFIX).append(erased.number + 1, entry):
            return wanted
    raise StageError(f"{ATTEMPTS} other changes of {PREFIX}/ were faster; run the command again")


def _salt(store: Store) -> bytes:
    try:
        return store.read(SALT)
    except NotFoundError:
        return b""
