"""`init` of lists in several files, and of rows that say what an item was: databases unload both."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.config import load_config
from tests.catalogue.shop import Shop
from tests.survey.feeds import COUNT, delimited, with_lines
from tests.survey.test_init import init


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_any_part_of_a_list_says_counts(tmp_path: Path) -> None:
    """The last part has no item that is not for sale, and no price with a comma."""
    for part in range(3):
        lines = delimited(
            "sku name type price photo active",
            lambda n, part=part: [  # type: ignore[misc]
                *(f"K{part}{n}", f"Mug {n}", ["Mugs", "Cups"][n % 2], "9,50" if part == 0 else "9"),
                *(f"https://cdn.example/{part}-{n}.jpg", "N" if part == 0 and n % 5 == 0 else "Y"),
            ],
            mark=";",
        )
        (tmp_path / f"unload_000{part}_part_00.csv").write_text(with_lines(lines, {}), encoding="utf-8")
    result = init("unload_*.csv")
    assert result.exit_code == 0, result.output
    assert f"(3 of 3 files): csv, the first {3 * COUNT} rows" in result.output
    section = load_config("shop.toml").catalogue
    assert (section.decimal_mark, section.columns.deleted) == (",", "active")
    assert section.snapshot_files is None


def history(part: int) -> str:
    """A table of products as they are and were: a key of each version, a key of each product."""
    _, *rows = delimited(
        "version product name type image current",
        lambda n: [
            *(1000 * part + n, f"P-{n}", f"Mug {n}" if part else f"Old mug {n}", ["Mugs", "Cups"][n % 2]),
            *(f"https://cdn.example/{n}.jpg", "true" if part or n % 3 else "false"),
        ],
    )
    header = "PRODUCT_SK,PRODUCT_NK,NAME,TYPE,IMAGE,IS_CURRENT"
    return with_lines([header, *(row for n, row in enumerate(rows) if part == 0 or n % 3 == 0)], {})


def test_what_an_item_was_is_no_item(tmp_path: Path) -> None:
    for part in range(2):
        (tmp_path / f"data_0_{part}_0.csv").write_text(history(1 - part), encoding="utf-8")
    assert init("data_*.csv").exit_code == 0
    columns = load_config("shop.toml").catalogue.columns
    assert (columns.item_id, columns.deleted) == ("PRODUCT_NK", "IS_CURRENT")
    result = Shop(tmp_path).cli("check", "--photos", "0")
    assert f"shop.toml: {COUNT} items, {COUNT} photos" in result.output
