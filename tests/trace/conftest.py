from pathlib import Path

import pytest

from tests.embed.world import export_tiny
from tests.trace.missing import shop_with_missing_items
from tests.trace.shop import HEIGHT, WIDTH, TracedShop


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that fails on red photos, and gives no finite numbers for green ones."""
    folder = tmp_path_factory.mktemp("model") / "saved"
    export_tiny(folder, 0, HEIGHT, WIDTH)
    return folder


@pytest.fixture(scope="session")
def shop(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> TracedShop:
    """A shop with a live release, a newer run that a gate refused, and deltas that nothing has read; not to change."""
    return shop_with_missing_items(tmp_path_factory.mktemp("trace") / "shop", exported)
