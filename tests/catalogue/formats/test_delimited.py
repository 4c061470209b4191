"""CSV and TSV as exporters write them, and damaged: what is hit is told with its lines, and nothing beside it is."""

import csv
import io
from pathlib import Path

import pytest

from pipelines.catalogue.formats import delimited
from pipelines.catalogue.formats.base import Columns, FeedError, Notation, RawRow
from pipelines.catalogue.rows import column_names, read_rows

COLUMNS = Columns("sku", frozenset({"image"}))
COMMAS = Notation()


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(path: Path, content: bytes | str, notation: Notation = COMMAS, columns: Columns = COLUMNS) -> list[RawRow]:
    return list(read_rows(write(path / "a.csv", content), notation, columns))


def values(rows: list[RawRow], name: str) -> list[str]:
    return [row.values[name] for row in rows if not row.code]


def damage(rows: list[RawRow]) -> list[tuple[int, str, tuple[str, ...]]]:
    return [(row.place, row.detail, row.may_name) for row in rows if row.code == "bad_row"]


def test_csv_as_shops_write_it(tmp_path: Path) -> None:
    # A byte order mark, spaces around names, Windows line ends, an empty line, a quoted line break and comma.
    path = write(tmp_path / "a.csv", '\ufeffsku, name \r\n1,"Cup, blue"\r\n\r\n2,"Two\r\nlines"\r\n3,12" pan\r\n')
    assert column_names(path) == ["sku", "name"]
    assert [(row.number, row.place, row.values) for row in read_rows(path)] == [
        (1, 2, {"sku": "1", "name": "Cup, blue"}),
        (2, 4, {"sku": "2", "name": "Two\r\nlines"}),
        (3, 6, {"sku": "3", "name": '12" pan'}),
    ]


ROWS = [
    ("a1", "Boots, red", "p1.jpg", "Shoes"),
    ("a2", 'Pan, 12"', "p2.jpg", "Pans"),
    ("a3", "Größe", "p3.jpg", "Hüte"),
]
HEADER = ("sku", "name", "image", "path")


def as_csv(**more: str | int) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, **{"lineterminator": "\n", **more}).writerows([HEADER, *ROWS])  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "notation"),
    [
        pytest.param(as_csv(), Notation(), id="pandas, BigQuery"),
        pytest.param("\ufeff" + as_csv(delimiter=";", lineterminator="\r\n"), Notation(";"), id="Excel in Europe"),
        pytest.param("sep=;\r\n" + as_csv(delimiter=";", lineterminator="\r\n"), Notation(), id="Excel's sep line"),
        pytest.param('"sep=\t"\r\n' + as_csv(delimiter="\t"), Notation(), id="sep line of tabs, quoted"),
        pytest.param(as_csv(quoting=csv.QUOTE_ALL), Notation(), id="LibreOffice, Shopify: all quoted"),
        pytest.param(as_csv(lineterminator="\r"), Notation(), id="Excel on old Macs"),
        pytest.param("\r\n\r\n" + as_csv(), Notation(), id="empty lines first"),
        pytest.param(as_csv() + "\n,,,\n , , ,\n", Notation(), id="empty rows of a spreadsheet"),
        pytest.param(as_csv().replace("\n", ",\n"), Notation(), id="a delimiter at the end of each line"),
        pytest.param(as_csv().replace("name,image,path\n", "name,image,path,,\n"), Notation(), id="unnamed columns"),
        pytest.param(as_csv().replace("Hüte\n", "Hüte,,\n"), Notation(), id="empty cells too many"),
        pytest.param(as_csv(delimiter="|"), Notation("|"), id="pipes"),
        pytest.param(as_csv().replace(",", ", "), Notation(), id="spaces after delimiters, before quotes"),
        pytest.param(
            as_csv(doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL), Notation(escape="\\"), id="Spark, MySQL"
        ),
        pytest.param(
            as_csv(delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, escapechar="\\"),  # type: ignore[arg-type]
            Notation("\t", "", "\\"),
            id="MySQL: no quotes",
        ),
        pytest.param(as_csv().encode("utf-16"), Notation(), id="Unicode text of Excel"),
        pytest.param(as_csv().encode("cp1252"), Notation(encoding="cp1252"), id="Windows"),
    ],
)
def test_what_exporters_write(tmp_path: Path, content: str | bytes, notation: Notation) -> None:
    rows = rows_of(tmp_path, content, notation)
    found = [tuple(row.values[name].strip() for name in HEADER) for row in rows]
    assert [tuple(cell.replace(",  ", ", ") for cell in row) for row in found] == ROWS
    assert [row.code for row in rows] == [""] * 3


@pytest.mark.parametrize(
    ("text", "notation"),
    [
        pytest.param('sku,name,price\n="0010003","Cup, blue",="12.50"\n', Notation(), id="plain"),
        pytest.param('"sku","name","price"\n"=""0010003""","Cup, blue","=""12.50"""\n', Notation(), id="quoted"),
        pytest.param('="sku",="name",price\n ="0010003" ,"=""Cup, blue""",12.50\n', Notation(), id="the header too"),
        pytest.param('sku\tname\tprice\n="0010003"\tCup, blue\t="12.50"\n', Notation("\t", ""), id="without quotes"),
        pytest.param(
            'sku,name,price\n"=\\"0010003\\"","Cup, blue","12.50"\n', Notation(escape="\\"), id="quotes escaped"
        ),
    ],
)
def test_texts_that_are_written_as_formulas_for_excel(tmp_path: Path, text: str, notation: Notation) -> None:
    [row] = rows_of(tmp_path, text, notation)
    assert row.values == {"sku": "0010003", "name": "Cup, blue", "price": "12.50"}


@pytest.mark.parametrize(
    ("cell", "text"), [('="Pan, 12"""', 'Pan, 12"'), ('=""', ""), ('="a"&"b"', '="a"&"b"'), ("=1+1", "=1+1")]
)
def test_only_a_whole_text_is_taken_out_of_a_formula(tmp_path: Path, cell: str, text: str) -> None:
    quoted = cell.replace('"', '""')
    assert values(rows_of(tmp_path, f'sku,name\n1,"{quoted}"\n'), "name") == [text]


def test_a_damaged_row_names_the_id_within_a_formula(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 'sku,name,image\n="001","open,1.jpg\n"=""002""","open,2.jpg\n')
    assert {name for row in rows for name in row.may_name} == {"001", "002"}


def test_invisible_characters_name_no_column_and_make_no_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "sku\u200e,\u2060name\u00a0\n1,a\n\u200b,\u200e\n2,b,\u200b\n")
    assert column_names(path) == ["sku", "name"]
    assert [row.values for row in read_rows(path)] == [{"sku": "1", "name": "a"}, {"sku": "2", "name": "b"}]


def test_a_tsv_has_tabs_and_another_delimiter_is_obeyed(tmp_path: Path) -> None:
    tabs = write(tmp_path / "a.tsv", "sku\tname\n1\ta,b\n")
    assert next(read_rows(tabs)).values == {"sku": "1", "name": "a,b"}
    semicolons = write(tmp_path / "a.csv", "sku;name\n1;a,b\n")
    assert next(read_rows(semicolons, Notation(";"))).values == {"sku": "1", "name": "a,b"}


def test_mysql_writes_no_value_as_a_letter_behind_the_escape(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "sku,name,group\n\\N,\\N,\\N\n1,\\Net,a\\N\n", Notation(escape="\\"))
    assert [row.values for row in rows] == [{"sku": "1", "name": "Net", "group": "aN"}]  # the first has no value at all


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"Two\tcolumns", "Two\tcolumns"), (r"a\nb\r\nc", "a\nb\r\nc"), (r"\b\f\v", "\b\f\v"),
        (r"C:\\temp", r"C:\temp"),
        (r"\\\t", "\\\t"), ("a\\\tb", "a\tb"), ("a\\\nb", "a\nb"), (r"\q\.", "q."), ('12"', '12"'),
    ],
)  # fmt: skip
def test_letters_behind_the_escape_are_the_characters_that_postgres_and_mysql_mean(
    tmp_path: Path, written: str, text: str
) -> None:
    content = f"sku\tname\timage\n1\t{written}\t1.jpg\n2\t\\N\t2.jpg\n"
    rows = rows_of(tmp_path, content, Notation("\t", "", "\\"))
    assert [(row.code, row.values) for row in rows] == [
        ("", {"sku": "1", "name": text, "image": "1.jpg"}),
        ("", {"sku": "2", "name": "", "image": "2.jpg"}),
    ]


def test_with_quotes_a_letter_behind_the_escape_is_a_letter(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 'sku,name\n1,"Two\\tcolumns"\n', Notation(escape="\\"))
    assert values(rows, "name") == ["Twotcolumns"]  # as Spark reads it


def test_a_row_of_another_width_is_a_reject_and_the_next_is_read(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "sku,name\n1\n2,b,c\n3,d\n")
    assert [(row.number, row.code) for row in rows] == [(1, "bad_row"), (2, "bad_row"), (3, "")]
    assert damage(rows) == [
        (2, "line 2: 1 cells under 2 columns", ("1",)),
        (3, "line 3: 3 cells under 2 columns", ("2", "b")),  # the id, or what was moved into its place
    ]


def test_an_id_behind_a_lost_cell_may_still_be_named(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "image,name,path,sku\np1.jpg,Boot,a1\n")
    assert damage(rows)[0][2] == ("a1",)


@pytest.mark.parametrize(
    ("notation", "line"),
    [
        (Notation(), "---,--------------,-----"),
        (Notation(), "---,,-----"),
        (Notation(), '"---","---","---"'),
        (Notation("\t"), "---\t--------------\t-----"),
        (Notation(";"), "  --- ; ----------- ; --- "),
        (Notation("|"), "-----+------+-------"),  # psql
        (Notation("|"), ":---|:----:|---:"),  # Markdown
    ],
)
def test_a_line_of_dashes_under_the_header_is_no_item(tmp_path: Path, notation: Notation, line: str) -> None:
    text = "sku,name,image\n@\na1,--,1.jpg\n-,-,2.jpg\n".replace(",", notation.delimiter).replace("@", line)
    first, second, third = rows_of(tmp_path, text, notation)
    assert (first.place, first.code) == (2, "bad_row")
    assert first.detail == "line 2: a line of dashes, as sqlcmd writes under its header, is no row; leave it out"
    assert (second.code, second.values["name"], third.code) == ("", "--", "")  # a cell of dashes may be one


def test_the_header_again_is_no_item(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "sku,name\n1,a\n\ufeffsku,name\n2,b\n")
    assert values(rows, "sku") == ["1", "2"]
    assert damage(rows)[0][:2] == (3, "line 3: the header again: were files put together?")


def test_a_lost_closing_quote_costs_its_row_alone(tmp_path: Path) -> None:
    text = 'sku,name,image,path\na0,"Rain boot",p0.jpg,Shoes\na1,"Winter boot,p1.jpg,Shoes\n'
    text += 'a2,"Straw hat",p2.jpg,Hats\na3,"Cap",p3.jpg,Hats\n'
    rows = rows_of(tmp_path, text)
    assert values(rows, "sku") == ["a0", "a2", "a3"]
    assert values(rows, "image") == ["p0.jpg", "p2.jpg", "p3.jpg"]
    [(line, detail, may_name)] = damage(rows)
    assert (line, may_name) == (3, ("a1",))
    assert detail == "line 3: text follows a closing quote: is a quote left open, or not doubled?"


def test_a_lost_quote_that_ends_at_an_inch_mark_is_seen_by_the_rows_it_swallows(tmp_path: Path) -> None:
    text = 'sku,name,image,path\na1,"Winter boot,p1.jpg,Shoes\na2,Hat,p2.jpg,Hats\n'
    text += 'a5,12",p5.jpg,Pans\na6,Cap,p6.jpg,Hats\n'
    rows = rows_of(tmp_path, text)
    assert values(rows, "sku") == ["a2", "a5", "a6"]
    assert values(rows, "name") == ["Hat", '12"', "Cap"]
    assert damage(rows) == [(2, "line 2: a quoted cell holds what looks like rows: is a quote left open?", ("a1",))]


def test_a_lost_quote_that_ends_in_the_next_row_is_seen_too(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 'sku,name,image,path\na1,"Boot,p1.jpg,Shoes\na5,12",p5.jpg,Pans\n')
    assert [(row.values.get("sku"), row.code) for row in rows] == [(None, "bad_row"), ("a5", "")]


def test_a_lost_quote_to_the_end_costs_its_row_alone(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 'sku,name,image\n1,a,1.jpg\n2,"12 inch pan,2.jpg\n3,b,3.jpg\n4,c,4.jpg\n')
    assert values(rows, "sku") == ["1", "3", "4"]
    assert damage(rows) == [(3, "line 3: a quote is left open to the file's end", ("2",))]


def test_the_rest_of_a_damaged_row_is_no_item(tmp_path: Path) -> None:
    text = 'sku,name,image,path\na1,Boot,p1.jpg,Shoes\na2,Sizes:\nS, M, L, XL\nend",p2.jpg,Hats\na3,Cap,p3.jpg,Hats\n'
    rows = rows_of(tmp_path, text)
    assert values(rows, "sku") == ["a1", "a3"]
    assert damage(rows)[1][1] == "line 4: this looks like the rest of the damaged row before it"
    names = rows_of(tmp_path, text.replace(".jpg", ""))  # where photos have plain names, it might be a row
    assert values(names, "sku") == ["a1", "S", "a3"]


def test_a_text_whose_quote_closes_too_early_is_seen_by_its_photo(tmp_path: Path) -> None:
    text = 'sku,name,image,path\na1,Boot,p1.jpg,Shoes\na2,"Sizes:\nS", M, L\na3,Cap,p3.jpg,Hats\n'
    rows = rows_of(tmp_path, text)
    assert values(rows, "sku") == ["a1", "a3"]
    assert damage(rows)[0][1].startswith("lines 3 to 4: a quoted cell over several lines, and a photo unlike others")


def test_a_lost_quote_before_a_text_of_several_lines_spares_that(tmp_path: Path) -> None:
    text = 'sku,name,image,path\na1,"Boot,p1.jpg,Shoes\na2,"Straw\nhat, big",p2.jpg,Hats\na3,Cap,p3.jpg,Hats\n'
    rows = rows_of(tmp_path, text)
    assert values(rows, "name") == ["Straw\nhat, big", "Cap"]
    assert [(line, may_name) for line, _, may_name in damage(rows)] == [(2, ("a1",))]


def test_a_short_row_with_an_inch_mark_leaves_the_next_alone(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 'sku,name,image\na1,12" pan\na2,13" pan,2.jpg\n')
    assert [(row.place, row.code) for row in rows] == [(2, "bad_row"), (3, "")]


def test_the_lines_of_a_damaged_text_are_one_reject(tmp_path: Path) -> None:
    text = 'sku,text,image\n1,"first\nthe "big, loud" one\nlast, and end",1.jpg\n2,b,2.jpg\n'
    rows = rows_of(tmp_path, text)
    assert values(rows, "sku") == ["2"]
    [(line, detail, may_name)] = damage(rows)
    assert (line, detail.partition(":")[0], may_name[0]) == (2, "lines 2 to 4", "1")
    assert [row.place for row in rows] == [2, 5]


@pytest.mark.parametrize(
    "text",
    [
        "Sizes:\nS, M, L, XL\nand more",  # as many cells as the table has columns
        "Sizes:\nS, M, L, XL",
        'see\n\n<a href=""x.jpg"">a, b, c</a>\nend'.replace('""', '"'),
        "one, two\nthree, four.\n five",
    ],
)
@pytest.mark.parametrize("place", [1, 3])
def test_texts_of_several_lines_pass(tmp_path: Path, text: str, place: int) -> None:
    rows = [["sku", "image", "path"], ["a1", "p1.jpg", "Shoes"], ["a2", "p2.jpg", "Hats"]]
    for cell, row in zip(["description", text, text], rows, strict=True):
        row.insert(place, cell)
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    found = rows_of(tmp_path, out.getvalue())
    assert [(row.code, row.values["description"]) for row in found] == [("", text)] * 2


def test_quotes_escaped_by_a_backslash_are_told_as_such(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 'sku,name\n1,"12\\" pan"\n2,b\n')
    assert damage(rows)[0][1].endswith("are quotes escaped by a backslash (catalogue.escape)?")
    assert values(rows_of(tmp_path, 'sku,name\n1,"12\\" pan"\n2,b\n', Notation(escape="\\")), "name") == [
        '12" pan',
        "b",
    ]


def test_where_quotes_are_text_they_enclose_nothing(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, 'sku,name\n1,"Vintage" boot\n2,"open\n', Notation(quote=""))
    assert values(rows, "name") == ['"Vintage" boot', '"open']


def test_a_cell_that_is_too_long_is_a_reject(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, "sku,name\n1," + "x" * (delimited.MAX_CELL_CHARACTERS + 1) + "\n2,b\n")
    assert damage(rows) == [(2, "line 2: a cell is longer than 1,048,576 characters: is a quote left open?", ("1",))]
    assert values(rows, "sku") == ["2"]


def test_an_open_quote_is_given_up_before_it_fills_the_memory(tmp_path: Path) -> None:
    lines = "".join(f"{n},name {n},{n}.jpg\n" for n in range(60_000))
    rows = rows_of(tmp_path, 'sku,name,image\nx,"open,x.jpg\n' + lines)
    assert damage(rows) == [(2, "line 2: a cell is longer than 1,048,576 characters: is a quote left open?", ("x",))]
    assert len(rows) == 60_001


def test_a_file_without_lines_is_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.catalogue.formats.lines.MAX_LINE_CHARACTERS", 100)
    with pytest.raises(FeedError, match=r"a\.csv cannot be read: line 2 is longer than 100 characters; export"):
        rows_of(tmp_path, "sku,name\n" + "x" * 101)


def test_a_damaged_header_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"a\.csv cannot be read: its header, lines 1 to 2: a quote is left open"):
        column_names(write(tmp_path / "a.csv", 'sku,"name\n1,a\n'))


def test_a_header_over_two_lines_is_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'sku,"price\n(EUR)"\n1,2\n')
    assert column_names(path) == ["sku", "price\n(EUR)"]
    assert [row.place for row in read_rows(path)] == [3]


def test_bytes_that_are_no_utf8_reject_their_row_alone(tmp_path: Path) -> None:
    bad, good = rows_of(tmp_path, b"sku,name\n1,caf\xe9\n2,caf\xc3\xa9\n")
    assert (bad.code, bad.values) == ("bad_utf8", {"sku": "1"})
    assert bad.detail == "column 'name' is not UTF-8 (byte 0xe9); see catalogue.encoding"
    assert good.values["name"] == "café"


def test_columns_that_are_not_read_may_hold_what_they_like(tmp_path: Path) -> None:
    columns = Columns("sku", frozenset(), frozenset({"sku"}))
    [row] = rows_of(tmp_path, b"sku,name\n1,caf\xe9\n", columns=columns)
    assert (row.code, row.values) == ("", {"sku": "1"})
