"""The path of an item's category, however a feed writes it."""

from typing import Any

import pytest

from tests.catalogue.mapped import mapped, remarks


@pytest.mark.parametrize(
    ("columns", "row", "path"),
    [
        ({}, {"path": "A > B>C"}, ("A", "B", "C")),
        ({}, {"path": "A >  > C"}, ("A",)),  # a hole ends the path
        ({}, {"path": ["A", "B"]}, ("A", "B")),
        ({}, {"path": [b"A", b"B"]}, ("A", "B")),
        ({}, {"path": ["A > B", "C"]}, ("A", "B")),  # several paths: the first
        ({}, {"path": [["A", "B"], ["C"]]}, ("A", "B")),
        ({"category_choice": "deepest"}, {"path": [["A"], ["C", "D"], ["E", "F"]]}, ("C", "D")),
        ({"category_separator": "/"}, {"path": "A/B > C"}, ("A", "B > C")),
        ({"category_separator": "/"}, {"path": " /A/B/"}, ("A", "B")),
        ({"category_separator": "|"}, {"path": "|Root|A|"}, ("Root", "A")),
        ({"category_separator": "/", "category_path_separator": ","}, {"path": "/A/B,/C"}, ("A", "B")),
        ({}, {"path": '["A", "B"]'}, ("A", "B")),  # lists as texts, of JSON and of pandas
        ({}, {"path": "['A', 'B']"}, ("A", "B")),
        ({}, {"path": "[['A', 'B'], ['C']]"}, ("A", "B")),
        ({}, {"path": "['A > B', 'C']"}, ("A", "B")),
        ({}, {"path": "[Sale]"}, ("[Sale]",)),
        ({}, {"path": "[1, 2]"}, ("[1, 2]",)),
        ({"category_depths": True}, {"path": ["0 > A", "1 > A > B"]}, ("A",)),
        ({"category_depths": True, "category_choice": "deepest"}, {"path": ["0>A", "1>A>B"]}, ("A", "B")),
        ({"category_depths": True}, {"path": "1 > A > B"}, ("A", "B")),
        ({"category_depths": True}, {"path": "12"}, ("12",)),
        ({"category": "deep", "category_fallbacks": ["path"]}, {"path": ["A > B", "C"]}, ("A", "B")),
        ({"category": "deep", "category_fallbacks": ["path"]}, {"path": "A > B"}, ("A", "B")),
        ({"category_separator": ""}, {"path": "A > B"}, ("A > B",)),
        ({"category": ["l1", "l2", "l3"]}, {"l1": "A", "l2": "B", "l3": ""}, ("A", "B")),
        ({"category": ["l1", "l2"]}, {"l1": "A"}, ("A",)),
    ],
)
def test_categories(columns: dict[str, Any], row: dict[str, Any], path: tuple[str, ...]) -> None:
    assert mapped(row, columns=columns).category == path


DEEPEST = {"category_choice": "deepest"}


@pytest.mark.parametrize(
    ("columns", "cell", "path"),
    [
        ({"category_path_separator": ","}, "Clothing > Tshirts, Sale", ("Clothing", "Tshirts")),
        ({"category_path_separator": ","}, "Sale, Clothing > Tshirts", ("Sale",)),
        ({**DEEPEST, "category_path_separator": ","}, "Sale, Clothing > Tshirts", ("Clothing", "Tshirts")),
        ({**DEEPEST, "category_path_separator": ","}, "A > B, C > D", ("A", "B")),
        # as WooCommerce and Magento do
        ({"category_path_separator": ","}, r"Home\, Garden > Pots, Sale", ("Home, Garden", "Pots")),
        ({"category_path_separator": ",", "category_separator": "/"}, "Root/Gear,Root/Gear/Bags", ("Root", "Gear")),
        ({"category_path_separator": "|"}, " | A > B", ("A", "B")),
        ({"category_path_separator": ""}, "A > B, C", ("A", "B, C")),
    ],
)  # fmt: skip
def test_several_paths_in_a_cell(columns: dict[str, Any], cell: str, path: tuple[str, ...]) -> None:
    assert mapped({"path": cell}, columns=columns).category == path


@pytest.mark.parametrize(
    "cell",
    [
        "0,10,100",
        "master,apparel,tshirts",
        "tops,men-shirts",
        "A > B,C > D",
        "A > B &amp; C; D",
        "A > B, C",
        "V-neck, A > B",
        "A > B; C > D",
        "A > B|C",
        "A > B\nA > C",
    ],
)
def test_a_cell_that_looks_like_several_paths_is_told(cell: str) -> None:
    assert remarks({"path": cell})["several_paths"] == 1
    assert remarks({"path": cell}, columns={"category_path_separator": ""}) == {}


@pytest.mark.parametrize("cell", ["A/B", "A / B", "A|B", r"A\B", "A » B", "A::B", "A;B", "A: B", "A &gt; B"])
def test_a_cell_with_another_mark_between_levels_is_told_unless_it_is_one_level(cell: str) -> None:
    assert remarks({"path": cell}, columns={"category_path_separator": "\t"})["other_levels"] == 1
    assert remarks({"path": cell}, columns={"category_separator": ""}) == {}
    assert remarks({"path": [cell]}, columns={"category_path_separator": "\t"})["other_levels"] == 1


@pytest.mark.parametrize(
    "cell", ["Shoes &amp; Boots", "Shoes", "T-Shirts & Tops", "A > B/C", "Home, Garden", "Bio-Baumwolle"]
)
def test_a_cell_of_one_level_or_of_the_right_mark_is_not_told(cell: str) -> None:
    assert "other_levels" not in remarks({"path": cell})


@pytest.mark.parametrize("cell", ["A &amp; B > C", "A > B", "Home,Garden > Pots", "A/B > C"])
def test_a_plain_path_is_not_told(cell: str) -> None:
    assert remarks({"path": cell}) == {}
    for path in ("A, B, C", "A,B,C"):
        assert remarks({"path": path}, columns={"category_separator": ","}) == {}


@pytest.mark.parametrize(
    "cell", ["Root Category,Root Category/Gear", "Root/A,Root/A/B", "Root,Root/A,Other/B,Other/B/C"]
)
def test_paths_that_name_every_level_above_are_told(cell: str) -> None:
    assert remarks({"path": cell}, columns={"category_separator": "/"}) == {"several_paths": 1}
    assert remarks({"path": cell}, columns={"category_separator": "/", "category_path_separator": ""}) == {}


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ({}, {"path": "Apparel >  > Tshirts"}), ({}, {"path": "Apparel > NULL > Tshirts"}),
        ({}, {"path": ["Apparel", "", "Tshirts"]}),
        ({"category": ["l1", "l2", "l3"]}, {"l1": "Apparel", "l2": "-", "l3": "Tshirts"}),
    ],
)  # fmt: skip
def test_a_level_behind_an_empty_one_is_told(columns: dict[str, Any], row: dict[str, Any]) -> None:
    words = {"no_value": ["NULL", "-"]}
    assert remarks(row, columns=columns, **words)["holes"] == 1
    assert mapped(row, columns=columns, **words).category == ("Apparel",)


@pytest.mark.parametrize("row", [{"path": "Apparel > Tshirts > "}, {"path": ["Apparel", ""]}])
def test_empty_levels_at_the_end_are_a_shorter_path(row: dict[str, Any]) -> None:
    assert "holes" not in remarks(row)


@pytest.mark.parametrize(
    ("level", "more", "count"),
    [
        ("men,sale,print_2026", {}, 1),
        ("men;sale", {}, 1),
        ("Sofas, Couches", {}, 0),
        ("men,sale", {"category_path_separator": ""}, 0),
    ],
)
def test_a_level_that_looks_like_several_is_told(level: str, more: dict[str, str], count: int) -> None:
    columns = {"category": ["family", "groups"], **more}
    assert remarks({"family": "clothing", "groups": level}, columns=columns).get("several_in_level", 0) == count
