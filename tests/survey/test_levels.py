"""The levels of a category, however a feed spreads them over lists and columns."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.survey.draft.chains import Chain, are_upside_down, chain_of
from pipelines.survey.draft.columns import Guess, guessed
from pipelines.survey.draft.deeper import says_level
from tests.catalogue.shop import Shop
from tests.survey.feeds import COUNT
from tests.survey.test_init import init, written

TREE = [
    ("Fruit", "Melon", "Galia"), ("Fruit", "Melon", "Honeydew"), ("Fruit", "Apple", "Gala"), ("Fruit", "Apple", "Fuji"),
    ("Dairy", "Milk", "Oat"), ("Dairy", "Milk", "Soy"), ("Dairy", "Cream", "Sour"), ("Greens", "Leek", "Leek"),
    ("Greens", "Potato", "Solid"), ("Greens", "Potato", "Floury"),
]  # fmt: skip
Path3 = tuple[str, str, str]


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def leaf(n: int) -> Path3:
    """The path of a row."""
    return TREE[n * 7 % len(TREE)]


def rows_of(cells: Callable[[Path3], dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows whose categories are written in some way."""
    return [
        {"sku": f"K{n:03d}", "name": f"Thing {n}", "image": f"https://cdn.example/{n}.jpg", **cells(leaf(n))}
        for n in range(COUNT)
    ]


def guess_of(cells: Callable[[Path3], dict[str, Any]]) -> Guess:
    """What is guessed of such rows."""
    rows = rows_of(cells)
    return guessed(rows, [*rows[0]])


def beginnings(path: Path3, mark: str) -> list[str]:
    """The whole path to each depth."""
    return [mark.join(path[:depth]) for depth in (1, 2, 3)]


@pytest.mark.parametrize(
    "cell",
    [
        lambda path: [f"/{one}/" for one in reversed(beginnings(path, "/"))],  # VTEX
        lambda path: beginnings(path, "/"),
        lambda path: beginnings(path, " > "),
        lambda path: beginnings(path, " -> "),
        lambda path: beginnings(path, "|")[1:] + beginnings(path, "|")[:1],  # the deepest in between
        lambda path: [f"{n}/{one}" for n, one in enumerate(beginnings(path, "/"))],  # Solr
        lambda path: [f"{n} > {one}" for n, one in enumerate(beginnings(path, " > "), 1)],
        lambda path: [path[:1], path[:2], path],
        lambda path: json.dumps(beginnings(path, "/")),
    ],
)
def test_lists_of_paths_of_which_each_is_the_beginning_of_another(cell: Callable[[Path3], Any], tmp_path: Path) -> None:
    text = "".join(f"{json.dumps(row)}\n" for row in rows_of(lambda path: {"categories": cell(path)}))
    written(tmp_path, text, "feed.jsonl")
    Shop(tmp_path).run("r", "catalogue")
    found = {row["item_id"]: tuple(row["category"]) for row in Shop(tmp_path).table("items")}
    assert found == {f"K{n:03d}": leaf(n) for n in range(COUNT)}


@pytest.mark.parametrize(
    ("lists", "chain"),
    [
        ([["/A/B/", "/A/"], ["/C/"]], Chain("/", False, False)),
        ([["A", "A > B"]], Chain(">", True, False)),
        ([["0/A", "1/A/B"], ["0/C"]], Chain("/", True, True)),
        ([["2|A|B", "1|A"]], Chain("|", False, True)),
        ([["7/A", "9/A/B"]], None),  # numbers that count no levels
        ([["A", "B", "C"]], None),
        ([["Soy", "Soy-Milk"], ["Home", "Home & Garden"]], None),  # levels, of which one's name goes on
        ([["A > B", "C > D"]], None),
        ([], None),
    ],
)
def test_chains(lists: list[list[str]], chain: Chain | None) -> None:
    assert chain_of(lists) == chain


@pytest.mark.parametrize("is_uneven", [False, True])
@pytest.mark.parametrize("is_list", [False, True])
def test_columns_that_say_the_path_to_another_depth(tmp_path: Path, *, is_uneven: bool, is_list: bool) -> None:
    """As Algolia has them: each deeper one says the whole path, some rows have no deepest one, each may be a list."""

    def cells(path: Path3) -> dict[str, Any]:
        paths = beginnings(path, " > ")[: 2 if is_uneven and path[1] == "Milk" else 3]
        lvls = {f"lvl{n}": [one, "Sale > Now"] if is_list else one for n, one in enumerate(paths)}
        return {"categories": [*path, "On offer"], "hierarchicalCategories": lvls}

    text = "".join(f"{json.dumps(row)}\n" for row in rows_of(cells))
    columns: Any = written(tmp_path, text, "feed.jsonl")["catalogue"]["columns"]
    assert columns["category"] == "hierarchicalCategories.lvl2"
    assert columns["category_fallbacks"] == ["hierarchicalCategories.lvl1", "hierarchicalCategories.lvl0"]
    Shop(tmp_path).run("r", "catalogue")
    found = {row["item_id"]: tuple(row["category"]) for row in Shop(tmp_path).table("items")}
    deep = {f"K{n:03d}": leaf(n) for n in range(COUNT)}
    assert found == {one: path[: 2 if is_uneven and path[1] == "Milk" else 3] for one, path in deep.items()}


def test_a_path_beside_its_top_or_its_leaf() -> None:
    top = guess_of(lambda path: {"category": path[0], "category_path": " > ".join(path)}).keys
    assert (top["category"], "category_fallbacks" in top) == ("category_path", False)
    assert guess_of(lambda path: {"category": path[2], "category_path": "/".join(path)}).keys["category"] == (
        "category_path"
    )


@pytest.mark.parametrize(
    "names",
    [
        ("Department", "Aisle"),
        ("department", "aisle", "shelf"),
        ("group", "subgroup"),
        ("FAMILY", "SUBFAMILY__C"),
        ("Rayon", "Sous-rayon"),
        ("Warengruppe", "Untergruppe"),
        ("Huvudgrupp", "Varugrupp"),
        ("Hauptgruppe", "Warengruppe", "Untergruppe"),
        ("class", "subclass"),
        ("group", "group2"),
        ("L1", "L2", "L3"),
        ("Level 1 name", "Level 2 name", "Level 3 name"),
    ],
)
def test_levels_by_name_and_cells(names: tuple[str, ...]) -> None:
    """Neither a kind beside them, which is within none of them, nor colours, brands and sizes that are, are levels."""

    def cells(path: Path3) -> dict[str, Any]:
        levels = dict(zip(names, path, strict=False))
        return {"type": "ab"[len(path[2]) % 2], **levels, "colour": path[1], "Marke": f"{path[1]} Ltd", "size": path[2]}

    guess = guess_of(cells)
    assert guess.keys["category"] == [*names]
    assert guess.keys["attributes"] == {"colour": "colour", "brand": "Marke", "size": "size"}
    assert guess.left_out == []


def test_what_looks_like_a_level_by_its_cells_alone_is_told() -> None:
    guess = guess_of(
        lambda path: {
            "department": path[0], "line": path[1], "colour": path[1], "brand": path[1], "supplier": path[1],
            "season": "ab"[len(path[2]) % 2],
        }
    )  # fmt: skip
    assert guess.keys["category"] == "department"
    assert guess.left_out == [
        "'line' may be a level, category = [\"department\", \"line\"]: its 6 values are each within one of 'department'"
    ]


def test_names_of_levels() -> None:
    names = ("subgroup", "Sub Family", "SUBFAMILY__C", "Untergruppe", "sotto-categoria", "department2", "Aisle name")
    assert all(map(says_level, names))
    assert not any(map(says_level, ("subtitle", "group", "underwear", "aisle_id", "brand", "product line", "size2")))


@pytest.mark.parametrize("is_upside_down", [False, True])
def test_levels_that_stand_deepest_first_are_told(*, is_upside_down: bool) -> None:
    rows = rows_of(lambda path: {"categories": [*reversed(path)] if is_upside_down else [*path]})
    Path("feed.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    told = "note: categories such as 'Soy > Milk > Dairy' seem to name the deepest level first: "
    assert (told in init("feed.jsonl").output) == is_upside_down
    assert not are_upside_down([("Men", "Shoes"), ("Women", "Shoes"), ("Kids", "Shoes")])


def test_numbers_are_places_where_words_are_levels() -> None:
    """As Lightspeed exports them: an item stands in a category of its own, and in Sale."""
    guess = guess_of(
        lambda path: {
            "NL_Category_1": path[0], "NL_Subcategory_1": path[1], "NL_Subsubcategory_1": path[2],
            "NL_Category_2": "Sale", "NL_Subcategory_2": "All",
        }
    )  # fmt: skip
    assert guess.keys["category"] == ["NL_Category_1", "NL_Subcategory_1", "NL_Subsubcategory_1"]


def test_a_path_that_all_items_share_is_no_category() -> None:
    guess = guess_of(lambda path: {"Product Category": "All / Saleable", "Website Category": " / ".join(path)})
    assert guess.keys["category"] == "Website Category"
