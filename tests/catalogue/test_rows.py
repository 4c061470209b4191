"""Which format a file has, and files that cannot be read at all."""

import gzip
from pathlib import Path

import pytest

from pipelines.catalogue.formats.base import FeedError, Notation
from pipelines.catalogue.rows import column_names, format_of, read_rows


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", "csv"), ("a.CSV", "csv"), ("a.tsv", "csv"), ("a.csv.gz", "csv"), ("a.CSV.GZ", "csv"),
        ("a.txt", "csv"), ("a.jsonl", "json"), ("a.ndjson.gz", "json"), ("2026.01.json", "json"), ("a.XML.gz", "xml"),
        ("a.parquet", "parquet"),
    ],
)  # fmt: skip
def test_the_ending_names_the_format(name: str, kind: str) -> None:
    assert format_of(Path(name)) == kind


@pytest.mark.parametrize("name", ["feed", "feed.html", "feed.gz"])
def test_an_unknown_ending_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(FeedError, match=rf"{name} has an unknown ending; use one of \.atom, \.csv, .* \(or \.gz of a"):
        format_of(Path(name))


@pytest.mark.parametrize("name", ["feed.csv.zip", "feed.7z", "feed.csv.BZ2"])
def test_a_packed_file_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(
        FeedError, match=rf"{name} is packed; unpack it, and use one of \.atom, \.csv, .* \(or \.gz of a"
    ):
        format_of(Path(name))


@pytest.mark.parametrize("name", ["feed.xlsx", "feed.XLS", "feed.ods"])
def test_a_workbook_is_refused_with_what_to_save_it_as(name: str) -> None:
    with pytest.raises(FeedError, match=rf"{name} is a workbook; save it as CSV, or use one of \.atom, \.csv, "):
        format_of(Path(name))


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
    with pytest.raises(FeedError, match=rf"{tmp_path}/a.csv is a folder; name the files in it, as .*/a.csv/\*\.csv"):
        column_names(tmp_path / "a.csv")
    with pytest.raises(FeedError, match=f"{tmp_path}/b.csv cannot be read: No such file or directory; replace"):
        column_names(tmp_path / "b.csv")


@pytest.mark.parametrize("first", ["", "sep=;\n"])
def test_lines_above_the_header_are_passed_over(tmp_path: Path, first: str) -> None:
    path = write(tmp_path / "a.csv", f'{first}Products; 2026\n;;\nsku;name\n1;"a\nb"\n2;c\n'.encode())
    notation = Notation(";", skip_lines=2)
    assert column_names(path, notation) == ["sku", "name"]
    rows = list(read_rows(path, notation))
    assert [row.values for row in rows] == [{"sku": "1", "name": "a\nb"}, {"sku": "2", "name": "c"}]
    assert rows[1].place == (7 if first else 6)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"sku|name\n1|a\n", "csv"), (b'{"sku": 1}\n', "json"), (b"\n [{}]", "json"), (b"\xef\xbb\xbf<rss/>", "xml"),
        (b"PAR1....", "parquet"), (gzip.compress(b"sku,name\n1,a\n"), "csv"), ("sku;n\n".encode("utf-16"), "csv"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["0000_part_00", "part-00000-7f3c", "unload.000", "export.dat"])
def test_a_name_that_says_nothing_is_told_by_how_the_file_begins(
    name: str, data: bytes, kind: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    assert format_of(tmp_path / name) == kind


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n\x00\x00", b"PK\x03\x04rest"])
def test_what_is_no_feed_at_all_is_refused_by_its_ending(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "part-00000").write_bytes(data)
    with pytest.raises(FeedError, match="part-00000 has an unknown ending"):
        format_of(tmp_path / "part-00000")
