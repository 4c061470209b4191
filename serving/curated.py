"""What curators have decided, as the store's log tells it: which items must not be shown for one another."""

from __future__ import annotations

from pipelines.curated import Curated, read_curated
from pipelines.store import Store


class CuratedLog:
    """What the curators' log says, which `visual-search curate` writes, and this service where it may."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._curated: Curated | None = None

    @property
    def curated(self) -> Curated:
        """The decisions that stand, the same object where nothing was decided since. Raises StoreError."""
        self._curated = read_curated(self._store) if self._curated is None else self._curated.newer(self._store)
        return self._curated
