"""The log of hidden items, `hidden/<n>.json`: one entry a command, with all the items that it changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from pipelines.store import Log, Store, StoreError

PREFIX: Final = "hidden"
HIDE, UNHIDE = ACTIONS = ("hide", "unhide")


@dataclass(frozen=True)
class Entry:
    """Items that were hidden, or are so no longer; `at` is ISO 8601 in UTC, `by` user@host."""

    action: str
    item_ids: tuple[str, ...]
    reason: str
    at: str
    by: str

    def as_json(self) -> dict[str, Any]:
        """Return the entry as it stands in the log."""
        return asdict(self)

    @classmethod
    def of_json(cls, value: dict[str, Any], where: str) -> Self:
        """Read what the log holds. Raises StoreError for what `hide` and `unhide` have not written."""
        ids, texts = value.get("item_ids"), [value.get(name) for name in ("reason", "at", "by")]
        good = isinstance(ids, list) and all(isinstance(text, str) for text in (*ids, *texts))
        if not good or value.get("action") not in ACTIONS:
            raise StoreError(f"{where} is no entry of the log of hidden items: {str(value)[:200]}; restore it")
        return cls(value["action"], tuple(value["item_ids"]), value["reason"], value["at"], value["by"])


def unhidden_since(store: Store, at: str) -> frozenset[str]:
    """Return the items that were shown again since a moment (ISO 8601, UTC), hidden anew or not; the log is listed."""
    log, found = Log(store, PREFIX), set[str]()
    number, _ = log.head()
    while number and (entry := _entry(store, number, log.entry(number))).at >= at:
        found |= {*entry.item_ids} if entry.action == UNHIDE else set()
        number -= 1
    return frozenset(found)


def entries_after(store: Store, number: int) -> Iterator[Entry]:
    """Yield the entries behind a number, oldest first."""
    for at, value in Log(store, PREFIX).after(number):
        yield _entry(store, at, value)


def _entry(store: Store, number: int, value: dict[str, Any]) -> Entry:
    return Entry.of_json(value, f"{store.uri}/{PREFIX}, number {number},")
