"""The sheet of renamed, merged and split categories: how it is written, what it moves, what it may not say."""

from pathlib import Path

import pytest

from pipelines.catalogue.aliases import COLUMNS, NAMES, Aliases, read_aliases
from pipelines.catalogue.formats.base import FeedError
from pipelines.catalogue.mapping import Item
from pipelines.catalogue.sheets import read_sheet
from pipelines.config import Columns

FEED = Columns(item_id="id", photos="p", category="c", attributes={"colour": "Farbe"})


def aliases(folder: Path, text: str | bytes, name: str = "aliases.csv", columns: Columns = FEED) -> Aliases:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_aliases(read_sheet(path, NAMES, in_order=COLUMNS), columns)


def item(item_id: str = "i", title: str = "", colour: str = "") -> Item:
    return Item(item_id, 0.0, title=title, attributes={"colour": colour} if colour else {})


def moved(found: Aliases, path: str, **of: str) -> str:
    return " > ".join(found.of_item(tuple(path.split(" > ")), item(**of)))


SAME = "Women > Boots,Shoes > Boots\nMen,Him\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", SAME),
        ("a.csv", f"old,new\n{SAME}"),
        ("a.csv", f"# what moved in May\nOLD,New,When\n\n{SAME}  # until the autumn\n"),
        ("a.csv", f"old,new,when,\r\n{SAME}".replace("\n", "\r\n")),
        ("a.csv", f"old,new\n{SAME}".replace(",", ";")),
        ("a.csv", f"\ufeffold,new\n{SAME}".encode()),
        ("a.csv", f"old,new\n{SAME}".encode("utf-16")),
        ("a.csv", 'new,old\n"Shoes >Boots",Women>  Boots\nHim,Men\n'),
        ("a.csv", "old,new\nWomen > Boots,Shoes > Boots,\nMen,Him,,,\n"),  # as spreadsheets pad rows
        ("a.csv", "To,From\nShoes > Boots,Women > Boots\nHim,Men\n"),
        ("a.csv", "Old path;New path\nWomen > Boots;Shoes > Boots\nMen;Him\n"),
        ("a.tsv", f"old\tnew\n{SAME}".replace(",", "\t")),
        ("a.txt", SAME.replace(",", "\t")),
        ("a.jsonl", '{"old": "Women > Boots", "new": "Shoes > Boots"}\n# later\n{"old": ["Men"], "new": ["Him"]}\n'),
    ],
)
def test_however_it_is_written(tmp_path: Path, name: str, text: str | bytes) -> None:
    found = aliases(tmp_path, text, name)
    assert moved(found, "Women > Boots") == "Shoes > Boots"
    assert moved(found, "Men") == "Him"
    assert moved(found, "Women > Sandals") == "Women > Sandals"


def test_paths_are_written_as_in_the_feed(tmp_path: Path) -> None:
    slashed = Columns(item_id="id", photos="p", category="c", category_separator="/")
    assert moved(aliases(tmp_path, "Women/Boots,/Shoes/Boots\n", columns=slashed), "Women > Boots") == "Shoes > Boots"
    whole = Columns(item_id="id", photos="p", category="c", category_separator="")
    assert aliases(tmp_path, "A > B,C\n", columns=whole).of_item(("A > B",), item()) == ("C",)
    levels = Columns(item_id="id", photos="p", category=["a", "b"])
    assert moved(aliases(tmp_path, "Women > Boots,Shoes\n", columns=levels), "Women > Boots") == "Shoes"


def test_what_is_below_moves_along_unless_it_has_a_rule_of_its_own(tmp_path: Path) -> None:
    found = aliases(tmp_path, "Shoes,Footwear\nShoes > Boots,Winter > Boots\n")
    assert moved(found, "Shoes") == "Footwear"
    assert moved(found, "Shoes > Sandals > Red") == "Footwear > Sandals > Red"
    assert moved(found, "Shoes > Boots > High") == "Winter > Boots > High"
    assert moved(found, "Shoes & more") == "Shoes & more"
    assert moved(found, "Home > Shoes") == "Home > Shoes"


def test_chains_are_followed(tmp_path: Path) -> None:
    found = aliases(tmp_path, "A,B\nB,C\nC > x,D\n")
    assert moved(found, "A") == "C"
    assert moved(found, "A > x") == "D"
    assert found.of_value("leaf", "A > y") == "C > y"


def test_a_split_looks_at_the_item(tmp_path: Path) -> None:
    text = (
        "old,new,when\n"
        "Tops,Tops > Shirts,title=\\bshirt|blouse\n"
        "Tops,Tops > Red,colour=^red$\n"
        'Tops,Tops > Chosen,"item_id=a1 a2|a3"\n'
        "Tops,Tops > Others,\n"
    )
    found = aliases(tmp_path, text)
    assert moved(found, "Tops", title="Blue SHIRT") == "Tops > Shirts"
    assert moved(found, "Tops", title="Sweatshirt") == "Tops > Others"
    assert moved(found, "Tops", title="A shirt", colour="red") == "Tops > Shirts"  # the first rule that holds
    assert moved(found, "Tops", colour="Red") == "Tops > Red"
    assert moved(found, "Tops", colour="dark red") == "Tops > Others"
    assert [moved(found, "Tops", item_id=one) for one in ("a1", "a2", "a3", "a4")] == [
        *["Tops > Chosen"] * 3,
        "Tops > Others",
    ]
    assert moved(found, "Tops > Knits", title="shirt") == "Tops > Knits"  # a split is of what is listed there alone


def test_what_a_split_does_not_take_stays(tmp_path: Path) -> None:
    found = aliases(tmp_path, "Tops,Shirts,title=shirt\n")
    assert (moved(found, "Tops", title="shirt"), moved(found, "Tops", title="knit")) == ("Shirts", "Tops")


def test_a_category_may_move_to_below_itself_and_up(tmp_path: Path) -> None:
    found = aliases(tmp_path, "Shoes,Shoes > Other\nHats > All,Hats\n")
    assert moved(found, "Shoes") == "Shoes > Other"
    assert moved(found, "Shoes > Boots") == "Shoes > Boots"
    assert moved(found, "Hats > All > Red") == "Hats > Red"


def test_a_line_that_changes_nothing_is_none(tmp_path: Path) -> None:
    assert aliases(tmp_path, "A,A\nB,C\n").rules == aliases(tmp_path, "# \nB,C\n").rules
    assert aliases(tmp_path, "").rules == ()


def test_what_values_become(tmp_path: Path) -> None:
    found = aliases(tmp_path, "Shoes,Footwear\nHats > Caps,Caps\nTops,Shirts,title=shirt\n")
    assert found.of_value("leaf", "Shoes > Boots") == "Footwear > Boots"
    assert found.of_value("level:0", "Shoes") == "Footwear"
    assert found.of_value("level:1", "Shoes > Boots") == "Footwear > Boots"
    assert found.of_value("leaf", "Hats > Caps") == "Caps"
    assert found.of_value("level:1", "Hats > Caps") is None  # it has no second level now
    assert found.of_value("level:0", "Hats") is None
    assert found.of_value("leaf", "Tops") is None  # a path alone does not decide


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A,B\n# x\nA,C\n", "lines 1 and 3 both say what 'A' becomes; remove one, or say by `when`"),
        ("A,B\nA,B\n", "lines 1 and 2 both say what 'A' becomes"),
        ("old,new\nA,B\nB,A\n", "lines 2 and 3 lead in a circle, from 'A' back to it; remove one"),
        ("A,B\nX,Y\nB,C\nC,A\n", "lines 1 and 3 and 4 lead in a circle"),
        ("A,B\nB,A,title=x\n", "lines 1 and 2 lead in a circle"),
        ("A > x,B > x\nB,A\n", "lines 1 and 2 lead in a circle"),
        ("A,\n", "line 1: the new path is empty; write both, or remove the line"),
        (",B\n", "line 1: the old path is empty"),
        ("A\nB,C\n", "line 1: the new path is empty"),
        (
            "A,B,c,d\n",
            "line 1: 4 cells, and the columns are old, new, when; put cells that hold the delimiter",
        ),
        ("A > > B,C\n", "line 1: 'A > > B' has an empty level; write the levels between '>'"),
        (f"A,{' > '.join('abcdefghi')}\n", "has 9 levels, the limit is 8"),
        ("A,B,size=4\n", "line 1: when = 'size=4'; write FIELD=PATTERN, where FIELD is item_id, title, colour"),
        ("A,B,title\n", "when = 'title'; write FIELD=PATTERN"),
        ("A,B,title=(\n", "line 1: '(' is no regular expression"),
        ("old,neu\nA,B\n", "has the columns old, neu; it needs old and new"),
        (b"A,B\xff\n", "line 1: is not UTF-8 (byte 0xff); save it as UTF-8"),
    ],
)
def test_errors_name_the_lines_and_the_fix(tmp_path: Path, text: str | bytes, told: str) -> None:
    with pytest.raises(FeedError) as error:
        aliases(tmp_path, text)
    assert told in str(error.value)
    assert str(tmp_path / "aliases.csv") in str(error.value)


def test_other_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"line 1: .*; write one JSON object a line"):
        aliases(tmp_path, "x\n", "a.jsonl")
    with pytest.raises(FeedError, match=r"a.parquet is kept by hand: use .csv, .tsv or .jsonl"):
        aliases(tmp_path, "x", "a.parquet")
    with pytest.raises(FeedError, match="is a workbook; save it as CSV"):
        aliases(tmp_path, "x", "a.xlsx")


def test_a_path_that_becomes_too_deep_names_the_item(tmp_path: Path) -> None:
    found = aliases(tmp_path, "A,1 > 2 > 3 > 4\n")
    with pytest.raises(FeedError, match="item 'i' comes to '1 > 2 > 3 > 4 > b > c > d > e > f', 9 levels"):
        moved(found, "A > b > c > d > e > f")
