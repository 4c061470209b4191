"""Columns that say items are gone, outright or the other way round: mapped with their words, or named in a comment."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.catalogue.shop import Shop
from tests.survey.feeds import COUNT
from tests.survey.test_init import init

GONE = 6
"""Every tenth item."""
ON, OFF = ["1", "1.0", "t", "true", "y", "yes"], ["0", "0.0", "f", "false", "n", "no"]
DAY = "2025-11-01T10:00:00Z"


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def drafted(**cells: Callable[[bool], Any]) -> tuple[dict[str, Any], str, str]:
    """What `init` says of a feed with some columns, by whether an item is gone; the config, and what it told."""
    rows = [
        {"sku": f"k{n}", "name": f"Mug {n}", "type": "ab"[n % 2] * 3, "image": f"https://cdn.example/{n}.jpg"}
        | {name: cell(n % 10 == 3) for name, cell in cells.items()}
        for n in range(COUNT)
    ]
    Path("feed.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    result = init("feed.jsonl", "--force")
    assert result.exit_code == 0, result.output
    text = Path("shop.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["catalogue"], text, result.output


def either(gone: Any, live: Any) -> Callable[[bool], Any]:
    """A cell of an item that is gone, or not."""
    return lambda is_gone: gone if is_gone else live


@pytest.mark.parametrize(
    ("name", "gone", "live"),
    [
        *[("deleted", "true", "false"), ("is_deleted", True, False), ("isDeleted", 1, 0), ("gelöscht", "ja", "nein")],
        *[("delete_flag", "x", ""), ("discontinued", "Y", "N"), ("archived", "yes", "no"), ("hidden", 1, 0)],
        *[("status", "draft", "active"), ("Status", "Archived", "Active"), ("product_status", "disabled", "enabled")],
        *[("post_status", "private", "publish"), ("visibility", "hidden", "visible"), ("state", "inactive", "active")],
        *[("enabled", "0", "1"), ("active", False, True), ("is_active", "N", "Y"), ("Product Visible?", "N", "Y")],
        *[("published", "FALSE", "TRUE"), ("aktiv", "nein", "ja"), ("online", "no", "yes"), ("attivo", 0, 1)],
        *[("attributes.active", False, True), ("deleted_at", DAY, None), ("deletedAt", DAY, "0000-00-00 00:00:00")],
        *[("is_purchasable", False, True), ("for_sale", "N", "Y"), ("Freigabe", "nein", "ja"), ("publish", 0, 1)],
        *[("blocked", "yes", "no"), ("is_available", "inactive", "active"), ("available", "inaktiv", "aktiv")],
        *[
            ("Draft", "true", "false"),
            ("isDraft", True, False),
            ("Widoczność", "nie", "tak"),
            ("Viditelnost", "ne", "ano"),
        ],
        *[("published_at", None, DAY), ("discontinued_date", "2025-11-01", "")],
    ],
)
def test_what_says_that_an_item_is_gone_is_mapped(name: str, gone: Any, live: Any) -> None:
    said, _, output = drafted(**{name: either(gone, live)})
    assert said["columns"]["deleted"] == name
    assert f"that say their item is gone (catalogue.columns.deleted): {GONE} of {COUNT} " in output
    assert f"the first {COUNT} rows, {COUNT - GONE} items\n" in output
    assert "rejected" not in output


@pytest.mark.parametrize(
    ("name", "gone", "live", "words"),
    [
        ("deleted", "true", "false", None),  # as they are by default
        ("active", "0", "1", (OFF, ON)),  # the other way round
        ("status", "draft", "active", (["archived", "draft", "inactive"], ["active", "published"])),
        ("deleted_at", DAY, None, (["*"], [])),
        ("published_at", None, DAY, ([""], ["*"])),
    ],
)
def test_its_words_are_named(name: str, gone: Any, live: Any, words: Any) -> None:
    said, _, _ = drafted(**{name: either(gone, live)})
    assert (said.get("deleted_words"), said.get("not_deleted_words")) == (words or (None, None))


def test_several_are_mapped_together(tmp_path: Path) -> None:
    """Each with words of its own where one means two things, as of an item that is neither deleted nor active."""
    said, text, output = drafted(is_deleted=lambda _: "false", status=lambda _: "draft", active=either("0", "1"))
    assert said["columns"]["deleted"] == ["is_deleted", "active"]
    assert (said["deleted_words"]["active"], said["not_deleted_words"]["active"]) == (OFF, ON)
    assert "true" in said["deleted_words"]["is_deleted"]
    assert "false" in said["not_deleted_words"]["is_deleted"]
    assert "# left out: 'status' may say that items are gone: draft (60)" in text
    assert f"that say their item is gone (catalogue.columns.deleted): {GONE} of {COUNT} " in output
    said, _, _ = drafted(deleted_at=either(DAY, None), published_at=lambda _: DAY, status=lambda _: "active")
    assert said["deleted_words"] == {"deleted_at": ["*"], "status": ["archived", "draft", "inactive"]}
    assert Shop(tmp_path).run("q", "catalogue")["catalogue"]["counts"]["items"] == COUNT - GONE
    said, _, _ = drafted(is_deleted=lambda _: "false", status=either("draft", "active"))
    assert said["columns"]["deleted"] == ["is_deleted", "status"]
    assert Shop(tmp_path).run("r", "catalogue")["catalogue"]["counts"]["items"] == COUNT - GONE


@pytest.mark.parametrize(
    ("name", "gone", "live", "told"),
    [
        ("status", "draft", "new in", "'status' may say that items are gone: new in (54), draft (6)"),
        ("status", 0, 1, "'status' may say that items are gone: 1 (54), 0 (6)"),
        ("active", True, False, "'active' may say that items are gone: false (54), true (6)"),  # most would be gone
        ("status", "D", "A", "'status' may say that items are gone: a (54), d (6)"),
        ("state", 20, 10, "'state' may say that items are gone: 10 (54), 20 (6)"),
        ("Artikelstatus", "geplant", "neu", "'Artikelstatus' may say that items are gone: neu (54), geplant (6)"),
        ("active", "I", "A", "'active' may say that items are gone: a (54), i (6)"),
        ("active", "", "x", "'active' may say that items are gone: x (54), empty (6)"),
        ("is_available", "paused", "A", "'is_available' may say that items are gone: a (54), paused (6)"),
        ("Zustand", "gebraucht", "neu", ""),
        ("stock_status", "hidden", "x", ""),
        ("order_status", "archived", "active", ""),
        ("state", "CA", "NY", ""),
        ("featured", "0", "1", ""),
        ("created_at", None, DAY, ""),
    ],
)
def test_what_may_say_it_is_told_and_not_mapped(name: str, gone: Any, live: Any, told: str) -> None:
    said, text, _ = drafted(**{name: either(gone, live)})
    assert "deleted" not in said["columns"]
    assert [line.removeprefix("# left out: ") for line in _left_out(text)] == [told] * bool(told)


@pytest.mark.parametrize(
    ("name", "gone", "live"),
    [("product_is_available", "false", "true"), ("available", 0, 1), ("lieferbar", "nein", "ja")],
)
def test_what_may_be_sold_out_is_a_matter_of_stock(name: str, gone: Any, live: Any, tmp_path: Path) -> None:
    """It is shown until the config, which asks, says what becomes of it; beside a column of the stock it is told."""
    said, text, _ = drafted(**{name: either(gone, live)})
    assert said["columns"]["availability"] == name
    assert '# out_of_stock = "flag"' in text
    notes = Shop(tmp_path).run("r", "catalogue")["catalogue"]["notes"]
    assert any("shown all the same: 6 of 60" in note for note in notes)
    said, text, _ = drafted(**{name: either(gone, live)}, in_stock=lambda _: 5)
    assert said["columns"]["availability"] == "in_stock"
    assert [f"'{name}' may say that items are gone" in line for line in _left_out(text)] == [True]


def _left_out(text: str) -> Sequence[str]:
    return [line for line in text.splitlines() if line.startswith("# left out: ") and "gone" in line]
