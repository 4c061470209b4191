from pathlib import Path

import pytest

from tests.trace.missing import shop_with_missing_items
from tests.trace.shop import TracedShop


@pytest.fixture(scope="session")
def shop(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> TracedShop:
    """A shop with a live release, a newer run that a gate refused, and deltas that nothing has read; not to change."""
    return shop_with_missing_items(tmp_path_factory.mktemp("trace") / "shop", tiny_model)
