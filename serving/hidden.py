"""Items that must not be found any more, though the release that answers still holds them."""

from __future__ import annotations

from typing import Protocol

from pipelines.hidden import Hidden, read_hidden
from pipelines.store import Store


class HiddenItems(Protocol):
    """What is hidden at this moment; a change makes another set, so that who compares by identity sees it."""

    @property
    def item_ids(self) -> frozenset[str]:
        """The ids of all hidden items, as the catalogue has them; asked for every few seconds, in a thread."""


class HiddenLog:
    """What the store's log of hidden items says, which `visual-search hide` writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hidden: Hidden | None = None

    @property
    def item_ids(self) -> frozenset[str]:
        """The ids of all hidden items; one request where nothing was hidden since. Raises StoreError."""
        self._hidden = read_hidden(self._store) if self._hidden is None else self._hidden.newer(self._store)
        return self._hidden.item_ids
