"""`visual-search serve` over a store that is no folder of this machine, and that is down while a file is there."""

from __future__ import annotations

from pathlib import Path
from typing import override

from pipelines import store as stores
from pipelines.store.folder import FolderStore
from tests.serving.far_store import FarStore


class FailingStore(FarStore):
    """A far store that fails every call while `down` is there."""

    def __init__(self, root: Path, down: Path) -> None:
        super().__init__(root, f"gs://far/{root.name}")
        self._down = down

    @override
    def _up(self) -> FolderStore:
        self.is_down = self._down.exists()
        return super()._up()


def install(down: str) -> None:
    """Have this process open stores in folders as far ones."""
    stores.open_store = lambda uri: FailingStore(Path(uri), Path(down))
