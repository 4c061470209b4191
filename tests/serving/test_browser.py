"""The page, used by five people in a real Chromium, on a desk and on a phone: by mouse, touch and keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from pipelines.releases.live import live_release_id
from serving.page.routes import POLICY
from tests.catalogue.shop import jpeg
from tests.serving.process import ServeProcess, process
from tests.serving.shop import ServedShop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}
WIDTHS = pytest.mark.parametrize("kind", [DESK, PHONE], ids=["desk", "phone"])


@pytest.fixture(scope="module")
def served(shop: ServedShop) -> Iterator[ServeProcess]:
    with process(shop) as running:
        running.ready(live_release_id(shop.store))
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "boot.jpg"
    path.write_bytes(jpeg(3, (80, 120)))
    return path


class Visitor:
    """Somebody at a page, of which nothing may go wrong that nobody sees."""

    def __init__(self, browser: Browser, served: ServeProcess, kind: dict[str, Any]) -> None:
        self.context = browser.new_context(**kind)
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda asked: self._look(asked.url, served.url))
        self.page.goto(served.url)
        self.page.wait_for_selector("#release:has-text('Release')")

    def _look(self, url: str, home: str) -> None:
        if not url.startswith((home, "blob:", "data:")):
            self.elsewhere.append(url)

    def results(self) -> list[str]:
        """Wait for an answer; return the ids of its results."""
        expect(self.page.locator("#message")).not_to_have_text(re.compile("^(Looking.*)?$"))
        return self.page.locator(".card .id").all_text_contents()

    def filters(self) -> None:
        """Open the filters, which a phone shows when they are asked for."""
        if not self.page.locator("#category").is_visible():
            self.page.locator("summary").click()

    def leave(self) -> None:
        fits = "document.documentElement.scrollWidth <= innerWidth"
        assert self.page.evaluate(fits), "the page is wider than the window"
        assert (self.wrong, self.elsewhere) == ([], [])
        self.context.close()


@pytest.fixture
def visit(browser: Browser, served: ServeProcess) -> Iterator[Any]:
    visitors: list[Visitor] = []

    def come(kind: dict[str, Any]) -> Visitor:
        visitors.append(Visitor(browser, served, kind))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.leave()


@WIDTHS
def test_one_chooses_a_photo_and_looks_at_what_is_similar_to_a_result(visit: Any, kind: Any, photo: Path) -> None:
    visitor = visit(kind)
    visitor.page.set_input_files("#file", photo)
    visitor.page.wait_for_selector(".card")
    first = visitor.results()
    assert len(first) > 3
    visitor.page.locator(".card .picture").first.click()
    expect(visitor.page.locator("#message")).to_contain_text(f"similar to {first[0]}")
    assert first[0] not in visitor.results()
    assert visitor.page.input_value("#item") == first[0]
    expect(visitor.page.locator(".card img").first).to_have_js_property("naturalWidth", 32)  # twice its own
    expect(visitor.page.locator("#photo")).to_have_js_property("naturalWidth", 32)  # the item's, not the one chosen
    score = visitor.page.locator(".card .score").first
    expect(score).to_have_text(re.compile(r"^similarity [01]\.\d{3}$"))
    expect(score).to_have_attribute("title", re.compile("1 is the same photo"))


@WIDTHS
def test_one_goes_to_the_weakest_matches_and_back(visit: Any, kind: Any) -> None:
    page = visit(kind).page
    expect(page.get_by_role("link", name="Judge")).to_be_hidden()  # there is nothing to judge
    page.get_by_role("link", name="Weakest matches").click()
    expect(page).to_have_title("Weakest matches")
    page.get_by_role("link", name="Search", exact=True).click()
    expect(page).to_have_title("Visual search")


@WIDTHS
def test_one_draws_a_box_and_takes_it_away(visit: Any, kind: Any, photo: Path) -> None:
    visitor = visit(kind)
    page = visitor.page
    page.set_input_files("#file", photo)
    page.wait_for_selector(".card")
    visitor.results()
    frame = page.locator("#photo").bounding_box()
    middle, top = frame["x"] + frame["width"] / 2, frame["y"]
    wide = frame["height"] / 120 * 80  # the photo stands in the middle of its frame
    with page.expect_request(lambda asked: "box=" in asked.url) as asked:
        page.mouse.move(middle - wide / 4, top + 20)
        page.mouse.down()
        page.mouse.move(middle + wide / 4, top + frame["height"] / 2, steps=4)
        page.mouse.up()
    left, upper, right, lower = (float(n) for n in asked.value.url.partition("box=")[2].partition("&")[0].split("%2C"))
    assert (left, right, lower) == pytest.approx((20, 60, 60), abs=4)
    assert 0 < upper < 30
    assert page.locator("#box").is_visible()
    with page.expect_request(lambda asked: "/v1/search" in asked.url and "box=" not in asked.url):
        page.click("#whole")
    assert not page.locator("#box").is_visible()
    visitor.results()


@WIDTHS
def test_one_filters_and_has_it_explained(visit: Any, kind: Any, photo: Path) -> None:
    visitor = visit(kind)
    page = visitor.page
    page.set_input_files("#file", photo)
    page.wait_for_selector(".card")
    visitor.filters()
    with page.expect_response(lambda answer: "category=" in answer.url) as said:
        page.select_option("#category", index=2)
    path = page.evaluate("JSON.parse(document.querySelector('#category').value)")
    results = said.value.json()["answers"][0]["results"]
    assert results
    assert all(one["category"][: len(path)] == path for one in results)
    with page.expect_response(lambda answer: "explain=true" in answer.url):
        page.check("#explain")
    page.wait_for_selector("#explained:not([hidden])")
    assert page.locator(".parts").first.is_visible()
    assert "What the model sees" in page.inner_text("#explained")
    visitor.filters()
    with page.expect_response(lambda answer: "price_from=" in answer.url):
        page.fill("#price-from", "1000000000")
        page.press("#price-from", "Enter")
    expect(page.locator("#message")).to_contain_text("loosen the filters")


@WIDTHS
def test_one_uses_the_keyboard_alone(visit: Any, kind: Any, photo: Path) -> None:
    visitor = visit(kind)
    page = visitor.page
    page.focus("#drop")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(photo)
    page.wait_for_selector(".card")
    page.focus("#drop")
    for key, moved in (("ArrowRight", "box="), ("Shift+ArrowDown", "box=")):
        with page.expect_request(lambda asked, moved=moved: moved in asked.url):
            page.keyboard.press(key)
    with page.expect_request(lambda asked: "/v1/search" in asked.url and "box=" not in asked.url):
        page.keyboard.press("Escape")
    visitor.results()
    page.locator(".card .picture").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_contain_text("similar to")
    visitor.results()


@WIDTHS
def test_one_asks_for_an_item_and_looks_into_history(visit: Any, kind: Any, served: ServeProcess) -> None:
    visitor = visit(kind)
    page = visitor.page
    page.fill("#item", "no such <b>item</b>")
    page.press("#item", "Enter")
    page.wait_for_selector("#message.bad")
    assert "no such <b>item</b>" in page.inner_text("#message")
    visitor.wrong.clear()  # the browser tells of the 404
    page.click("#history-open")
    page.wait_for_selector("#entries table")
    release = served.get("/v1/release").json()["release_id"]
    assert release in page.inner_text("#entries")
    page.click("#history-close")
    assert page.evaluate("fetch('/').then((answer) => answer.headers.get('content-security-policy'))") == POLICY


@pytest.fixture(scope="module")
def two(shop: ServedShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServeProcess]:
    """A service of a shop whose release `third` has some of the items of the one that is live, and others."""
    own = shop.copy(tmp_path_factory.mktemp("two") / "shop")
    own.add_index("third-index", range(4, 16))
    own.add_release("third", "third-index", "run-2")
    for release_id in ("third", "first"):
        own.go_live(release_id)
    with process(own) as running:
        running.ready("first")
        yield running


@WIDTHS
def test_one_compares_two_releases_on_one_photo(browser: Browser, two: ServeProcess, kind: Any, photo: Path) -> None:
    visitor = Visitor(browser, two, kind)
    page = visitor.page
    page.set_input_files("#file", photo)
    page.wait_for_selector(".card")
    live = visitor.results()
    page.click("#history-open")
    page.locator("#entries button", has_text="Compare").click()
    expect(page.locator("#beside-message")).to_contain_text("8 in both, 4 only here", timeout=30_000)
    assert page.input_value("#compare") == "third"
    assert page.locator("#results .id").all_text_contents() == live
    other = page.locator("#others .id").all_text_contents()
    assert {*other} == {f"i{n}" for n in range(4, 16)}
    for column, own, beside in (("#results", live, other), ("#others", other, live)):
        for card, item_id in zip(page.locator(f"{column} .card").all(), own, strict=True):
            higher = beside.index(item_id) - own.index(item_id) if item_id in beside else None
            words = "only here" if higher is None else f"{'▲' if higher > 0 else '▼'} {abs(higher)}" if higher else ""
            assert card.locator(".change").inner_text() == words
    left, right = (page.locator(f"{column} .card").first.bounding_box() for column in ("#results", "#others"))
    assert (left["y"] == right["y"], left["x"] == right["x"]) == ((True, False) if kind is DESK else (False, True))
    page.focus("#compare")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#beside")).to_be_hidden()
    expect(page.locator(".change:visible")).to_have_count(0, timeout=30_000)
    visitor.wrong = [said for said in visitor.wrong if "503" not in said]  # it was told to ask again while it loads
    visitor.leave()


@WIDTHS
def test_one_asks_why_an_item_is_not_among_the_results(visit: Any, kind: Any, photo: Path) -> None:
    visitor = visit(kind)
    page = visitor.page
    page.set_input_files("#file", photo)
    page.wait_for_selector(".card")
    visitor.filters()
    with page.expect_response(lambda answer: "attribute=" in answer.url):
        page.select_option("#attribute-colour", "red")
    page.check("#explain")
    page.fill("#about-item", "i3")
    page.press("#about-item", "Enter")
    expect(page.locator("#explained")).to_contain_text("it is none of what the filter leaves")


def test_what_a_shop_writes_is_text(browser: Browser, own_shop: ServedShop) -> None:
    with process(own_shop) as running:
        running.ready(live_release_id(own_shop.store))
        visitor = Visitor(browser, running, DESK)
        page = visitor.page
        page.evaluate(
            """import('/page/results.js').then((results) => results.show(document.querySelector('#results'), [{
                item_id: '<img src=x onerror=alert(1)>', score: 1, category: ['<b>a</b>'], title: '<script>1</script>',
                thumbnail: '/v1/thumbnails/' + '0'.repeat(64) }], null, () => {}))"""
        )
        page.wait_for_selector(".card")
        assert page.inner_text(".card .id") == "<img src=x onerror=alert(1)>"
        assert page.locator(".card script, .card b").count() == 0
        visitor.wrong.clear()  # that photo is not there
        visitor.leave()
