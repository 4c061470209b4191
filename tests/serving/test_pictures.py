"""The pictures of the pages that the docs show, of the demo's catalogue. After `make demo` these make them again:

VISUAL_SEARCH_DEMO=work/demo VISUAL_SEARCH_PICTURES=docs/pictures VISUAL_SEARCH_CHROMIUM=$(command -v chromium) \
  .venv/bin/python -m pytest -m browser tests/serving/test_pictures.py
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, override

import pytest
from PIL import Image
from playwright.sync_api import expect

from pipelines.judge.task import Pair, Question, Shown
from pipelines.releases.live import live_release_id
from pipelines.releases.release import read_release
from pipelines.releases.verdicts import Judged
from tests.serving.judged import add_task
from tests.serving.process import ServeProcess, process
from tests.serving.shop import ServedShop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DEMO = os.environ.get("VISUAL_SEARCH_DEMO", "")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not DEMO, reason="VISUAL_SEARCH_DEMO names no folder of `make demo`"),
]
ITEMS = ("S0000040", "S0000002", "S0000010", "S0000023")
MOST_BYTES = 150_000
COLOURS = 200
DESK = {"viewport": {"width": 1000, "height": 640}}
PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}


@dataclass(frozen=True)
class DemoShop(ServedShop):
    """A copy of the demo, as `make demo` leaves it."""

    @property
    @override
    def config_path(self) -> Path:
        return self.root / "config.toml"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    shop = DemoShop(tmp_path_factory.mktemp("pictures") / "demo")
    shutil.copytree(DEMO, shop.root, symlinks=True)
    live = read_release(shop.store, live_release_id(shop.store) or "")
    with process(shop) as running:
        running.ready(live.release_id, 240)
        add_task(shop, first=Judged.of(live), second=Judged.of(live), questions=list(questions(running)))
        yield running


def questions(running: ServeProcess) -> Iterator[Question]:
    """Yield items beside what the release finds similar to them."""
    for place, name in enumerate(ITEMS):
        query = running.get(f"/v1/items/{name}").json()
        for rank, result in enumerate(running.get(f"/v1/items/{name}/similar?k=8").json()["results"]):
            pair = Pair(f"q{place}x{rank}", shown(query | query["photos"][0]), shown(result))
            yield Question(pair, "pair", place, rank)


def shown(item: dict[str, Any]) -> Shown:
    return Shown(item["item_id"], item["thumbnail"].rpartition("/")[2], item["image_uri"], item["title"])


def keep(page: Page, name: str, tmp_path: Path) -> None:
    """Keep a picture of a page, in few colours; it must be small enough for a repository."""
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    path = Path(os.environ.get("VISUAL_SEARCH_PICTURES") or tmp_path) / f"{name}.png"
    few.save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES, f"{path} has {path.stat().st_size} bytes"


def test_a_search(browser: Browser, served: ServeProcess, tmp_path: Path) -> None:
    page = browser.new_page(**DESK)
    page.goto(served.url)
    page.wait_for_selector("#release:has-text('Release')")
    page.set_input_files("#file", sorted(Path(DEMO, "street").rglob("*.jpg"))[3])
    expect(page.locator(".card")).to_have_count(24)
    for n in range(8):
        expect(page.locator(".card img").nth(n)).not_to_have_js_property("naturalWidth", 0)
    keep(page, "serving", tmp_path)
    page.close()


@pytest.mark.parametrize(("kind", "name"), [(DESK, "judge"), (PHONE, "judge-phone")])
def test_a_pair(browser: Browser, served: ServeProcess, tmp_path: Path, kind: dict[str, Any], name: str) -> None:
    page = browser.new_page(**kind)
    page.goto(f"{served.url}/judge")
    page.fill("#rater", "Ann")
    page.press("#rater", "Enter")
    page.click("#understood")
    for count in range(5):
        expect(page.locator("[data-grade=same]")).to_have_attribute("aria-disabled", "false")
        page.keyboard.press("2")
        expect(page.locator("#counted")).not_to_contain_text(f"{count} answered,")
    expect(page.locator("[data-grade=same]")).to_have_attribute("aria-disabled", "false")
    keep(page, name, tmp_path)
    page.close()
