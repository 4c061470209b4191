"""The page of the weakest matches as people use it, in Chromium: with the mouse, the keyboard alone, on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from pipelines.curated import read_curated
from pipelines.releases.live import live_release_id
from tests.serving.process import ServeProcess, process
from tests.serving.shop import ServedShop
from tests.serving.test_browser import DESK, PHONE, WIDTHS
from tests.serving.weak import KEY, OTHER, add_weakness

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def weak_shop(shop: ServedShop, tmp_path_factory: pytest.TempPathFactory) -> ServedShop:
    copy = shop.copy(tmp_path_factory.mktemp("weak") / "shop")
    add_weakness(copy)
    text = copy.config_path.read_text()
    copy.config_path.write_text(text.replace("[serving]", "[serving]\ncurators = true"))
    return copy


@pytest.fixture(scope="module")
def served(weak_shop: ServedShop) -> Iterator[ServeProcess]:
    with process(weak_shop, "--api-keys", str(weak_shop.root / "keys.toml")) as running:
        running.ready(live_release_id(weak_shop.store))
        yield running


class Curator:
    """Somebody at the page, with a key; nothing may go wrong that nobody sees."""

    def __init__(self, browser: Any, served: ServeProcess, kind: dict[str, Any], key: str) -> None:
        self.context = browser.new_context(**kind)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.goto(f"{served.url}/quality")
        self.page.wait_for_selector("#key[open]")
        self.page.fill("#key-value", key)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(".finding")

    def leave(self, picture: Path | None = None) -> None:
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert self.wrong == []
        if picture:
            self.page.screenshot(path=picture, full_page=True)
        self.context.close()


def decisions(shop: ServedShop) -> list[tuple[str, tuple[str, ...]]]:
    standing = read_curated(shop.store).standing.values()
    return [(entry.decision.action, entry.decision.item_ids) for entry in standing]


@WIDTHS
def test_one_decides_with_a_click_and_takes_it_back(
    browser: Any, served: ServeProcess, weak_shop: ServedShop, kind: Any, tmp_path: Path
) -> None:
    curator = Curator(browser, served, kind, KEY)
    page = curator.page
    card = page.locator(".finding", has_text="of what is similar is in Shoes > Sandals")
    card.scroll_into_view_if_needed()
    expect(card.locator("img").first).to_have_js_property("naturalWidth", 32)  # twice its own
    page.fill("#reason", "")
    card.get_by_role("button", name="i0 is of Shoes > Sandals").click()
    expect(card.locator(".outcome")).to_contain_text("Say why")
    page.fill("#reason", "open toes")
    card.get_by_role("button", name="i0 is of Shoes > Sandals").click()
    expect(card.locator(".outcome")).to_contain_text("decision")
    assert decisions(weak_shop) == [("category", ("i0",))]
    assert [entry.by for entry in read_curated(weak_shop.store).standing.values()] == ["key ann"]
    card.get_by_role("button", name="Take back").click()
    expect(card.locator(".outcome")).to_contain_text("was taken back")
    assert decisions(weak_shop) == []
    curator.leave(tmp_path / "quality.png")


def test_one_uses_the_keyboard_alone(browser: Any, served: ServeProcess, weak_shop: ServedShop) -> None:
    curator = Curator(browser, served, DESK, KEY)
    page = curator.page
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.querySelector('.id').textContent") == "i11"
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("1")
    expect(page.locator(".finding.decided")).to_have_count(1)
    assert decisions(weak_shop) == [("bad_photo", ("i11",))]
    page.keyboard.press("u")
    expect(page.locator(".finding.decided")).to_have_count(0)
    assert decisions(weak_shop) == []
    curator.leave()


def test_who_is_no_curator_looks_and_decides_nothing(browser: Any, served: ServeProcess) -> None:
    curator = Curator(browser, served, PHONE, OTHER)
    assert curator.page.locator("#read-only").is_visible()
    assert curator.page.locator(".actions button").count() == 0
    curator.leave()
