"""The stores that the contract is tested on: a folder, and a bucket where its emulator is."""

from pathlib import Path

import pytest

from pipelines.store import Store, open_store
from tests.gcs.emulator import Emulator


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.gcs)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    emulator: Emulator = request.getfixturevalue("gcs")
    emulator.heal()
    return open_store(emulator.new_store_uri())
