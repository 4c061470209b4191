import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.serving.client import Shared
from tests.serving.shop import ServedShop, make_shop

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def shop(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> ServedShop:
    """A shop with a live release and one more; not to change."""
    return make_shop(tmp_path_factory.mktemp("serving") / "shop", tiny_model)


@pytest.fixture(scope="session")
def asked(shop: ServedShop) -> Iterator[Shared]:
    """A service over that shop, which waits long enough for what tests ask at once to go through in one batch."""
    shared = Shared(shop, wait_ms=200.0)
    yield shared
    shared.close()


@pytest.fixture
def own_shop(shop: ServedShop, tmp_path: Path) -> ServedShop:
    """A copy of the shop that a test may change."""
    return shop.copy(tmp_path / "shop")


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Debian's Chromium, for tests with the marker `browser`."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # of a machine that does other things too
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=os.environ["VISUAL_SEARCH_CHROMIUM"], args=["--no-sandbox", "--disable-gpu"]
        )
        yield launched
        launched.close()
