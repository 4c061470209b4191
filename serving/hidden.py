"""Items that must not be found any more, though the release that answers still holds them."""

from __future__ import annotations

from typing import Final, Protocol


class HiddenItems(Protocol):
    """What is hidden at this moment; a change makes another set, so that who compares by identity sees it."""

    @property
    def item_ids(self) -> frozenset[str]:
        """The ids of all hidden items, as the catalogue has them; asked for every few seconds, in a thread."""


class _Nothing:
    item_ids: frozenset[str] = frozenset()


NOTHING: Final[HiddenItems] = _Nothing()
