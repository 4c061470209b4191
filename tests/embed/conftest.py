from pathlib import Path

import pytest

from pipelines.store import initialise
from pipelines.store.folder import FolderStore
from tests.embed.world import BUCKETS, World, drawn, export_tiny


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    for number, name in enumerate(("model-a", "model-b")):
        export_tiny(folder / name, number)
    return {name: folder / name for name in ("model-a", "model-b")}


@pytest.fixture
def world(tmp_path: Path, exported: dict[str, Path]) -> World:
    store = FolderStore(tmp_path / "store")
    initialise(store, BUCKETS)
    world = World(store, exported)
    world.add_model("model-a")
    world.add_images("unit-1", {n: drawn(n) for n in range(10)})
    world.add_images("unit-2", {n: drawn(n) for n in range(10, 20)})
    return world


@pytest.fixture
def twenty() -> list[tuple[int, str, int]]:
    """Where the twenty photos of the world are."""
    return [(n, "unit-1" if n < 10 else "unit-2", n % 10) for n in range(20)]
