from pathlib import Path

import pytest

from tests.catalogue.rules.days import COLUMNS, Days
from tests.catalogue.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path / "shop")
    shop.write_config(catalogue={"columns": COLUMNS, "max_removed_share": 0.5, "max_rejected_share": 0.5})
    return shop


@pytest.fixture
def days(shop: Shop) -> Days:
    return Days(shop)


@pytest.fixture
def with_deltas(shop: Shop) -> Days:
    catalogue = {"columns": COLUMNS, "deltas": "deltas/*.csv", "max_removed_share": 0.5, "max_rejected_share": 0.5}
    shop.write_config(catalogue=catalogue)
    return Days(shop)
