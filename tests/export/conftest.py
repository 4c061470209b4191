"""One release for all tests of a session: exporting changes nothing in it."""

import pytest

from tests.export.world import World, release, shop


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    gallery = shop(tmp_path_factory.mktemp("export") / "store")
    gallery.write()
    gallery.store.create_json("runs/r/preprocess/placeholders.json", [])
    return release(gallery)
