import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.catalogue.rows import FeedError, column_names, format_of, read_rows


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def codes(path: Path, delimiter: str = ",") -> list[tuple[int, str]]:
    return [(row.number, row.code) for row in read_rows(path, delimiter)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "csv"), ("a.CSV", "csv"), ("a.tsv", "csv"), ("a.csv.gz", "csv"), ("a.jsonl", "jsonl"),
        ("a.ndjson.gz", "jsonl"), ("2026.01.json", "jsonl"), ("a.parquet", "parquet"),
    ],
)  # fmt: skip
def test_the_ending_names_the_format(name: str, kind: str) -> None:
    assert format_of(Path(name)) == kind


@pytest.mark.parametrize("name", ["feed", "feed.xlsx", "feed.gz", "feed.csv.zip"])
def test_an_unknown_ending_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(FeedError, match=rf"{name} has an unknown ending; use one of \.csv, \.json, .* \(or \.gz of a"):
        format_of(Path(name))


def test_csv_as_shops_write_it(tmp_path: Path) -> None:
    # A byte order mark, spaces around names, Windows line ends, an empty line, a quoted line break and comma.
    path = write(tmp_path / "a.csv", '\ufeffsku, name \r\n1,"Cup, blue"\r\n\r\n2,"Two\r\nlines"\r\n3,12" pan\r\n')
    assert column_names(path) == ["sku", "name"]
    assert [(row.number, row.values) for row in read_rows(path)] == [
        (1, {"sku": "1", "name": "Cup, blue"}),
        (2, {"sku": "2", "name": "Two\r\nlines"}),
        (3, {"sku": "3", "name": '12" pan'}),
    ]


def test_a_tsv_has_tabs_and_another_delimiter_is_obeyed(tmp_path: Path) -> None:
    tabs = write(tmp_path / "a.tsv", "sku\tname\n1\ta,b\n")
    assert next(read_rows(tabs)).values == {"sku": "1", "name": "a,b"}
    semicolons = write(tmp_path / "a.csv", "sku;name\n1;a,b\n")
    assert next(read_rows(semicolons, ";")).values == {"sku": "1", "name": "a,b"}


def test_a_row_of_another_width_is_a_reject_and_the_next_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "sku,name\n1\n2,b,c\n3,d\n")
    assert codes(path) == [(1, "bad_row"), (2, "bad_row"), (3, "")]
    assert next(read_rows(path)).detail == "1 cells under 2 columns"


def test_a_quote_that_is_left_open_is_told_by_the_lines_it_swallows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'sku,name\n1,a\n2,"12 inch pan\n3,b\n4,c\n')
    assert [row.detail for row in read_rows(path)] == ["", "a quote is left open from line 3 to the file's end"]
    path = write(tmp_path / "c.csv", 'sku,name\n1,"two\nlines"\n2,"last"')
    assert [row.values["name"] for row in read_rows(path)] == ["two\nlines", "last"]
    path = write(tmp_path / "b.csv", 'sku,name\n1,"12 inch pan\n2,b\n3,"c",x\n4,d\n')
    first, last = read_rows(path)
    assert first.detail == "3 cells under 2 columns, over lines 2 to 4: is a quote left open?"
    assert last.values == {"sku": "4", "name": "d"}


def test_a_cell_that_is_too_long_is_a_reject(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "sku,name\n1," + "x" * ((1 << 24) + 1) + "\n2,b\n")
    rows = list(read_rows(path))
    assert (rows[0].code, rows[0].detail) == ("bad_row", "field larger than field limit (16777216)")
    assert rows[-1].values == {"sku": "2", "name": "b"}


def test_bytes_that_are_no_utf8_reject_their_row_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"sku,name\n1,caf\xe9\n2,caf\xc3\xa9\n")
    bad, good = read_rows(path)
    assert (bad.code, bad.detail) == ("bad_utf8", "column 'name' is not UTF-8")
    assert good.values["name"] == "café"


def test_json_lines(tmp_path: Path) -> None:
    lines = ['{"sku": 1, "photos": ["a", "b"]}', "", "[1]", "{not json", '"text"', '{"sku": 2}', "[" * 100_000]
    path = write(tmp_path / "a.jsonl", "\n".join(lines))
    rows = list(read_rows(path))
    assert [(row.number, row.code) for row in rows] == [
        (1, ""), (3, "bad_row"), (4, "bad_row"), (5, "bad_row"), (6, ""), (7, "bad_row")
    ]  # fmt: skip
    assert rows[0].values == {"sku": 1, "photos": ["a", "b"]}
    assert rows[1].detail == "a JSON list, not an object"
    assert column_names(path) == ["sku", "photos"]


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (b'{"sku": "1", "name": "caf\xe9"}', "column 'name' is not UTF-8"),
        (b'{"sku": "1", "photos": ["caf\xe9"]}', "the row is not UTF-8"),
        (rb'{"sku": "1", "name": "cut \ud83d"}', "column 'name' is not UTF-8"),  # half of an emoji, all in ASCII
        (rb'{"sku": "1", "photos": ["\ude00.jpg"]}', "the row is not UTF-8"),
        (rb'{"sku": "1", "\ud83d": "x"}', "the row is not UTF-8"),
    ],
)
def test_json_text_that_cannot_be_written_again_is_a_reject(tmp_path: Path, line: bytes, detail: str) -> None:
    bad, good = read_rows(write(tmp_path / "a.jsonl", line + b'\n{"sku": "\\ud83d\\ude00"}'))
    assert (bad.code, bad.detail) == ("bad_utf8", detail)
    assert good.values == {"sku": "😀"}


def test_a_json_array_is_told_from_json_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", json.dumps([{"sku": "1"}], indent=1))
    with pytest.raises(
        FeedError, match=r"a\.json holds no JSON object in its first rows \(row 1: .*write one object a"
    ):
        column_names(path)


def test_parquet_keeps_types_and_numbers_rows_over_batches(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"sku": list(range(5000)), "photos": [["a", "b"]] * 5000}), path)
    rows = list(read_rows(path))
    assert [row.number for row in rows] == list(range(1, 5001))
    assert rows[4999].values == {"sku": 4999, "photos": ["a", "b"]}
    assert column_names(path) == ["sku", "photos"]


def test_parquet_strings_that_are_no_utf8_reject_their_row_alone(tmp_path: Path) -> None:
    names = pa.array([b"good", b"caf\xe9", b"fine"], pa.binary()).view(pa.string())
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"sku": ["1", "2", "3"], "name": names}), path)
    rows = list(read_rows(path))
    assert [row.code for row in rows] == ["", "bad_utf8", ""]
    assert rows[1].detail == "column 'name' is not UTF-8"
    assert rows[2].values == {"sku": "3", "name": "fine"}


def test_text_formats_may_be_compressed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv.gz", gzip.compress(b"sku,name\n1,a\n"))
    assert column_names(path) == ["sku", "name"]
    assert [row.values for row in read_rows(path)] == [{"sku": "1", "name": "a"}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.csv.gz", b"this is no gzip", id="no gzip"),
        pytest.param("a.csv.gz", gzip.compress(b"sku,name\n" + bytes(range(256)) * 400)[:-300], id="gzip cut off"),
        pytest.param("a.csv.gz", gzip.compress(b"sku\n" * 9000)[:12] + b"\xff" * 40, id="gzip damaged inside"),
        pytest.param("a.parquet", b"PAR1 and no more", id="no Parquet"),
        pytest.param("a.parquet", b"", id="empty Parquet"),
    ],
)
def test_a_file_that_is_damaged_as_a_whole_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(FeedError, match=rf"{path} cannot be read: .+; replace the file, or leave it out of the feed"):
        list(read_rows(path))
    with pytest.raises(FeedError, match="cannot be read"):
        column_names(path) if name.endswith("parquet") or b"no gzip" in content else list(read_rows(path))


def test_a_folder_and_a_file_that_vanished_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    for name, reason in (("a.csv", "Is a directory"), ("b.csv", "No such file or directory")):
        with pytest.raises(FeedError, match=f"{tmp_path / name} cannot be read: {reason}; replace"):
            column_names(tmp_path / name)
