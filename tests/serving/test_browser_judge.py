"""The page of raters, used by five people in a real Chromium, on a desk and on a phone of 360 pixels."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from pipelines.judge.answers import Answers
from pipelines.judge.task import Pair, read_task
from tests.serving.judged import TASK, add_task, make_judged, question
from tests.serving.process import ServeProcess, process
from tests.serving.shop import ServedShop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True, "color_scheme": "dark"}
WIDTHS = pytest.mark.parametrize("kind", [DESK, PHONE], ids=["desk", "phone"])
WAIT_S = 30
FAILED = "Failed to load resource"
GONE = "20261128T120000Z-000000"
GRADES = {"same": "Same product", "similar": "Similar", "not": "Not similar"}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> ServedShop:
    """A shop with two tasks; a photo of the older one is nowhere any more."""
    own = make_judged(tmp_path_factory.mktemp("judged") / "shop")
    add_task(own, raters=100)
    there = question(own, "q1", 0, 4)
    lost = Pair("q0", there.pair.query, replace(there.pair.result, item_id="lost", digest="1" * 64))
    older = "2026-11-28T12:00:00+00:00"
    add_task(own, GONE, raters=100, questions=[replace(there, pair=lost), replace(there, place=1)], created_at=older)
    return own


@pytest.fixture(scope="module")
def served(judged: ServedShop) -> Iterator[ServeProcess]:
    with process(judged) as running:
        yield running


class Rater:
    """Somebody at the page of raters, of which nothing may go wrong that nobody sees."""

    def __init__(
        self, browser: Browser, served: ServeProcess, kind: dict[str, Any], name: str, query: str = ""
    ) -> None:
        self.context: BrowserContext = browser.new_context(**kind)
        self.served, self.name, self.kind = served, name, kind
        self.wrong: list[str] = []
        self.foreseen = ""  # how what the browser tells of requests begins, where some are to fail
        self.asked: list[str] = []
        self.page: Page = self.open(query)

    def open(self, query: str = "") -> Page:
        """Open the page, in another tab of the same browser."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(f"{self.served.url}/judge{query}")
        return page

    def begin(self) -> None:
        """Type a name, read the guidelines, and wait for the first pair."""
        self.page.fill("#rater", self.name)
        self.page.press("#rater", "Enter")
        self.page.click("#understood")
        self.both_are_seen()

    def both_are_seen(self) -> None:
        expect(self.page.locator("[data-grade=same]")).to_have_attribute("aria-disabled", "false")
        for side in ("query", "result"):
            expect(self.page.locator(f"#{side} img")).to_be_visible()

    def say(self, grade: str) -> None:
        """Choose a grade as one does on this device."""
        self.both_are_seen()
        button = self.page.get_by_role("button", name=GRADES[grade], exact=True)
        button.tap() if self.kind.get("has_touch") else button.click()

    def has_answered(self, count: int) -> None:
        expect(self.page.locator("#counted")).to_have_text(re.compile(f"^{count} answered"))

    def is_sent(self) -> None:
        """Wait until the service has all answers."""
        unsent = "Object.keys(localStorage).some((name) => name.startsWith('visual-search-judge:'))"
        until = time.monotonic() + WAIT_S
        while self.page.evaluate(unsent):  # the page's policy lets nobody wait for a function
            assert time.monotonic() < until, "answers are not sent"
            self.page.wait_for_timeout(20)

    def leave(self) -> None:
        fits = "document.documentElement.scrollWidth <= innerWidth"
        assert self.page.evaluate(fits), "the page is wider than the window"
        assert [words for words in self.wrong if not words.startswith(self.foreseen or "\0")] == []
        assert [url for url in self.asked if not url.startswith((self.served.url, "blob:"))] == []
        self.context.close()


Come = Callable[..., Rater]


@pytest.fixture
def come(browser: Browser, served: ServeProcess) -> Iterator[Come]:
    raters: list[Rater] = []

    def come(kind: dict[str, Any], name: str, query: str = f"?task={TASK}") -> Rater:
        raters.append(Rater(browser, served, kind, f"{name} {kind['viewport']['width']}", query))
        return raters[-1]

    yield come
    for rater in raters:
        rater.leave()


def kept(shop: ServedShop, rater: str, task_id: str = TASK) -> dict[str, str]:
    """Return what a rater has said, by question, in the order in which it was asked."""
    with Answers.open(shop.config().answers) as answers:
        return {a.question_id: a.grade for a in answers.of(read_task(shop.store, task_id)) if a.rater == rater}


def test_one_goes_to_the_search_and_back(come: Come) -> None:
    rater = come({"viewport": {"width": 360, "height": 740}}, "Zoe")
    rater.foreseen = "Failed to load resource: the server responded with a status of 503"  # no release is loaded here
    page = rater.page
    page.get_by_role("link", name="Search", exact=True).click()
    page.get_by_role("link", name="Judge", exact=True).click()
    expect(page.locator("#rater")).to_be_focused()


@WIDTHS
def test_one_judges_everything_by_hand(come: Come, judged: ServedShop, kind: Any) -> None:
    rater = come(kind, "Ann")
    page = rater.page
    expect(page.locator("#rater")).to_be_focused()
    page.fill("#rater", rater.name)
    page.press("#rater", "Enter")
    expect(page.get_by_role("dialog", name="How to judge")).to_be_visible()
    expect(page.locator("#guidelines-title")).to_be_in_viewport()
    page.keyboard.press("1")  # nobody judges behind the guidelines
    page.click("#understood")
    rater.both_are_seen()
    counted = page.locator("#counted")
    expect(counted).to_have_text(
        re.compile(r"0 answered, about 1[2-4] to go")
    )  # by the task's secret: gold is not told
    for side in ("query", "result"):
        frame = page.locator(f"#{side} img").bounding_box()
        assert frame["width"] >= 0.4 * kind["viewport"]["width"]
    for name in GRADES.values():
        button = page.get_by_role("button", name=name, exact=True).bounding_box()
        assert button["y"] + button["height"] <= kind["viewport"]["height"], "a grade is below the window"
        assert button["height"] >= 44
    with Answers.open(judged.config().answers) as answers:
        ahead = answers.next_questions(read_task(judged.store, TASK), rater.name, 20)
    said = {one.question_id: [*GRADES][number % 3] for number, one in enumerate(ahead)}
    for number, one in enumerate(ahead):
        expect(page.locator("#result .title")).to_have_text(one.result.title)
        rater.say(said[one.question_id])
        rater.has_answered(number + 1)
    expect(page.locator("#message")).to_have_text("That was all. Thank you!")
    assert page.locator("#pair").is_hidden()
    assert kept(judged, rater.name) == said


@WIDTHS
def test_one_judges_by_the_keyboard_alone_and_takes_an_answer_back(come: Come, judged: ServedShop, kind: Any) -> None:
    rater = come(kind, "Bob")
    rater.begin()
    page = rater.page
    expect(page.locator("#pair")).to_be_focused()
    for number, key in enumerate(("1", "2", "3", "3")):
        rater.both_are_seen()
        page.keyboard.press(key)
        rater.has_answered(number + 1)
    page.keyboard.press("u")
    expect(page.locator("[data-grade=not]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#message")).to_contain_text("your last answer")
    rater.both_are_seen()
    page.keyboard.press("1")
    rater.both_are_seen()
    rater.has_answered(4)
    page.keyboard.press("?")
    expect(page.locator("#guidelines")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#guidelines")).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.locator("[data-grade=same]")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    rater.has_answered(5)
    rater.is_sent()
    assert [*kept(judged, rater.name).values()] == ["same", "similar", "not", "same", "similar"]


@WIDTHS
def test_one_goes_on_after_a_reload_and_on_another_machine(come: Come, judged: ServedShop, kind: Any) -> None:
    rater = come(kind, "Cy")
    rater.begin()
    rater.say("same")
    rater.has_answered(1)
    rater.say("not")
    rater.has_answered(2)
    rater.both_are_seen()
    query, result = (rater.page.locator(f"#{side} .title").inner_text() for side in ("query", "result"))
    rater.page.reload()
    rater.both_are_seen()
    other = come(kind, "Cy")
    other.begin()
    for one in (rater, other):
        one.has_answered(2)
        assert [one.page.locator(f"#{side} .title").inner_text() for side in ("query", "result")] == [query, result]
    other.page.click("#undo")
    expect(other.page.locator("[data-grade=not]")).to_have_attribute("aria-pressed", "true")
    other.say("similar")
    expect(other.page.locator("#result .title")).to_have_text(result)
    other.is_sent()
    assert [*kept(judged, rater.name).values()] == ["same", "similar"]
    other.page.click("#other")
    expect(other.page.locator("#rater")).to_have_value(rater.name)


@WIDTHS
def test_one_loses_the_connection_and_none_of_the_answers(come: Come, judged: ServedShop, kind: Any) -> None:
    rater = come(kind, "Dee")
    rater.foreseen = FAILED
    rater.begin()
    page = rater.page
    page.wait_for_load_state("networkidle")
    rater.context.set_offline(True)
    rater.say("same")
    rater.say("not")  # its photos were here before
    expect(page.locator("#message")).to_contain_text("No connection to the service. 2 answers are kept here")
    assert kept(judged, rater.name) == {}
    page.close()
    rater.context.set_offline(False)
    rater.page = rater.open(f"?task={TASK}")
    rater.has_answered(2)
    rater.is_sent()
    assert [*kept(judged, rater.name).values()] == ["same", "not"]
    rater.both_are_seen()


@WIDTHS
def test_one_passes_over_a_photo_that_is_nowhere_any_more(come: Come, judged: ServedShop, kind: Any) -> None:
    rater = come(kind, "Eve", f"?task={GONE}")
    rater.foreseen = FAILED
    page = rater.page
    expect(page.locator("#task option")).to_have_count(2)
    page.fill("#rater", rater.name)
    page.press("#rater", "Enter")
    page.click("#understood")
    expect(page.locator("#result .gone")).to_contain_text("nowhere any more")
    expect(page.locator("[data-grade=same]")).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("1")
    page.click("#pass")
    rater.say("similar")
    expect(page.locator("#message")).to_have_text("That was all. Thank you! 1 passed over.")
    assert kept(judged, rater.name, GONE) == {"q1": "similar"}


def test_the_next_pair_is_here_before_it_is_asked(come: Come) -> None:
    rater = come(DESK, "Fay")
    rater.foreseen = FAILED
    rater.begin()
    rater.page.wait_for_load_state("networkidle")
    rater.context.route("**/photos/**", lambda route: route.abort())
    rater.say("same")
    rater.both_are_seen()
    rater.say("same")
    rater.both_are_seen()


def test_where_there_are_keys_one_is_asked_for_it_and_known_by_it(
    browser: Browser, judged: ServedShop, tmp_path: Path
) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'[Gus]\nsha256 = "{hashlib.sha256(b"secret").hexdigest()}"\n')
    with process(judged, "--api-keys", str(path)) as running:
        rater = Rater(browser, running, DESK, "Gus")
        rater.foreseen = FAILED
        rater.page.fill("#key-value", "secret")
        rater.page.press("#key-value", "Enter")
        rater.page.click("#understood")
        expect(rater.page.locator("#who")).to_have_text("You are Gus")
        rater.say("same")
        rater.has_answered(1)
        rater.is_sent()
        assert [*kept(judged, "Gus").values()] == ["same"]
        rater.leave()


def test_what_a_shop_writes_is_text(browser: Browser, tmp_path: Path) -> None:
    own = make_judged(tmp_path / "shop")
    asked = question(own, "q1", 0, 4)
    title = "<img src=x onerror=alert(1)><script>alert(1)</script>"
    wicked = Pair("q1", replace(asked.pair.query, title=title), replace(asked.pair.result, title=title))
    add_task(own, questions=[replace(asked, pair=wicked)])
    with process(own) as running:
        rater = Rater(browser, running, DESK, "<b>Hal</b>")
        rater.begin()
        assert rater.page.locator("#result .title").text_content() == title
        expect(rater.page.locator("#who")).to_have_text("You are <b>Hal</b>")
        assert rater.page.locator("figcaption img, figcaption script, #who b").count() == 0
        rater.say("not")
        expect(rater.page.locator("#message")).to_have_text("That was all. Thank you!")
        rater.leave()
