"""The sheet of corrections: how it is written, and what it may not say."""

from pathlib import Path

import pytest

from pipelines.catalogue.corrections import Correction, names_of, read_corrections
from pipelines.catalogue.formats.base import FeedError
from pipelines.catalogue.sheets import read_sheet
from pipelines.config import Columns

FEED = Columns(item_id="id", photos="p", category="c", attributes={"colour": "Farbe", "Größe": "g"})


def corrections(folder: Path, text: str, name: str = "corrections.csv") -> dict[str, Correction]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_corrections(read_sheet(path, names_of(FEED)), FEED)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.csv", "# by Ann\nitem_id,category,colour\n1,Shoes > Boots,\n2,,red\n"),
        ("c.csv", "Item_ID;Category;colour\r\n1;Shoes>Boots;\r\n2;;red\r\n"),
        ("c.csv", "ID,c,Farbe\n1,Shoes > Boots,\n2,,red\n"),  # as the feed calls them
        ("c.tsv", "colour\titem_id\tcategory\n\t1\tShoes > Boots\nred\t2\n"),
        ("c.jsonl", '{"item_id": 1, "category": ["Shoes", "Boots"]}\n{"item_id": "2", "colour": "red"}\n'),
        ("c.csv", "item_id,category,colour,date\n1,Shoes > Boots,,2026-11-28\n2,,red,\n"),
    ],
)
def test_however_it_is_written(tmp_path: Path, name: str, text: str) -> None:
    found = corrections(tmp_path, text, name)
    assert {item_id: (one.category, dict(one.attributes)) for item_id, one in found.items()} == {
        "1": (("Shoes", "Boots"), {}),
        "2": ((), {"colour": "red"}),
    }


def test_of_two_dated_lines_the_later_one_counts(tmp_path: Path) -> None:
    text = "item_id,category,date\n1,A,2026-11-28T01:00:00+02:00\n1,B,2026-11-27\n2,A,2026-01-01\n2,B,2026-02-01\n"
    assert {i: one.category for i, one in corrections(tmp_path, text).items()} == {"1": ("B",), "2": ("B",)} | {
        "1": ("A",)
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("item_id,category\n1,A\n1,B\n", "lines 2 and 3 both correct item '1'; remove one, or date them"),
        ("item_id,category,date\n1,A,2026-01-01\n1,B,\n", "lines 2 and 3 both correct item '1'"),
        ("item_id,category,date\n1,A,28.11.2026\n", "line 2: date '28.11.2026' is not as 2026-11-28"),
        ("item_id,category\n,A\n", "line 2: there is no item_id"),
        ("item_id,category\n1,\n", "line 2: it says neither a category nor an attribute"),
        ("number,category\n1,A\n", "has the columns number, category; it needs item_id, and category or attributes of"),
        ("item_id,size\n1,4\n", "has the columns item_id, size; it needs item_id, and category or attributes of"),
        ("item_id,category\n1,A > > B\n", "line 2: 'A > > B' has an empty level"),
    ],
)
def test_errors_name_the_lines_and_the_fix(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(FeedError) as error:
        corrections(tmp_path, text)
    assert told in str(error.value)
