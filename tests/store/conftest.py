"""The stores that the contract is tested on; a bucket store joins by one more entry."""

from pathlib import Path

import pytest

from pipelines.store import Store
from pipelines.store.folder import FolderStore

STORES = {"folder": lambda tmp_path: FolderStore(tmp_path / "store")}


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)
