"""Encodings and compression: read where the file tells, else an error with the right name of it."""

import gzip
from pathlib import Path

import pytest

from pipelines.catalogue.formats.base import FeedError, Notation
from pipelines.catalogue.rows import column_names, read_rows

TEXT = "sku,Größe\n1,ä\n2,\N{SNOWMAN}\n"
NAMES = ["sku", "Größe"]


def write(folder: Path, content: bytes, name: str = "feed.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    assert column_names(path, Notation(encoding=encoding)) == NAMES
    return [row.values for row in read_rows(path, Notation(encoding=encoding))]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TEXT.encode(), id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), id="UTF-8 with its mark"),
        pytest.param(TEXT.encode("utf-16"), id="UTF-16"),
        pytest.param(b"\xfe\xff" + TEXT.encode("utf-16-be"), id="UTF-16, big end first"),
        pytest.param(TEXT.encode("utf-32"), id="UTF-32"),
        pytest.param(gzip.compress(TEXT.encode()), id="gzip under another name"),
        pytest.param(gzip.compress(TEXT.encode("utf-16")), id="UTF-16 in gzip"),
    ],
)
def test_what_a_file_begins_with_tells(tmp_path: Path, content: bytes) -> None:
    expected = [{"sku": "1", "Größe": "ä"}, {"sku": "2", "Größe": "\N{SNOWMAN}"}]
    assert read(write(tmp_path, content)) == expected


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_of_several_byte_order_marks_none_is_text(tmp_path: Path, encoding: str, count: int) -> None:
    content = (count * "\ufeff" + '"sku",Größe\n1,ä\n').encode(encoding)
    assert read(write(tmp_path, content)) == [{"sku": "1", "Größe": "ä"}]
    assert read(write(tmp_path, gzip.compress(content))) == [{"sku": "1", "Größe": "ä"}]
    lines = (count * "\ufeff" + '{"sku": "1", "Größe": "ä"}\n').encode(encoding)
    assert read(write(tmp_path, lines, "feed.jsonl")) == [{"sku": "1", "Größe": "ä"}]


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
@pytest.mark.parametrize("marks", ["\x1a", 5 * "\x1a"])
def test_what_dos_writes_at_the_end_of_a_file_is_no_row(tmp_path: Path, end: str, marks: str) -> None:
    assert read(write(tmp_path, f'sku,Größe\n1,"ä"{end}{marks}'.encode())) == [{"sku": "1", "Größe": "ä"}]
    lines = f'{{"sku": "1", "Größe": "ä"}}{end}{marks}'
    assert read(write(tmp_path, lines.encode(), "feed.jsonl")) == [{"sku": "1", "Größe": "ä"}]


def test_a_byte_order_mark_is_believed_before_the_config(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        assert len(read(write(tmp_path, TEXT.encode(encoding)), "cp1252")) == 2


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac-roman", "cp850", "utf-16-le", "utf-16-be"])
def test_an_encoding_that_a_file_does_not_tell_is_a_setting(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, TEXT.replace("\N{SNOWMAN}", "ö").encode(encoding))
    assert read(path, encoding) == [{"sku": "1", "Größe": "ä"}, {"sku": "2", "Größe": "ö"}]


@pytest.mark.parametrize("encoding", ["shift_jis", "gb18030", "big5", "cp1251"])
def test_encodings_of_other_alphabets(tmp_path: Path, encoding: str) -> None:
    name = "Обувь" if encoding == "cp1251" else "靴下"
    path = write(tmp_path, f"sku,{name}\n1,{name}\n".encode(encoding))
    assert [row.values for row in read_rows(path, Notation(encoding=encoding))] == [{"sku": "1", name: name}]


def refusal(path: Path, encoding: str = "utf-8") -> str:
    with pytest.raises(FeedError) as caught:
        column_names(path, Notation(encoding=encoding))
    return str(caught.value).removeprefix(f"{path} ")


def test_a_header_in_windows_1252_is_told_by_that_name(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT.replace("\N{SNOWMAN}", "ö").encode("cp1252"))
    assert refusal(path) == (
        "is not UTF-8 (byte 0xf6): its header has 'Gr\ufffd\ufffde'; save it as UTF-8, or say what it is, such as "
        "catalogue.encoding = 'cp1252' for Windows-1252"
    )


@pytest.mark.parametrize("order", ["le", "be"])
def test_utf_16_without_its_mark_is_told(tmp_path: Path, order: str) -> None:
    path = write(tmp_path, TEXT.encode(f"utf-16-{order}"))
    assert refusal(path) == (
        f"looks like UTF-16 without its byte order mark; save it as UTF-8, or set catalogue.encoding = 'utf-16-{order}'"
    )


def test_utf_8_under_another_setting_is_told_and_does_not_become_two_characters_each(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, TEXT.encode()), "cp1252") == (
        "is UTF-8, though catalogue.encoding = 'cp1252'; remove that key"
    )


def test_bytes_that_an_encoding_has_not_reject_their_row(tmp_path: Path) -> None:
    path = write(tmp_path, b"sku,name\n1,a\x81b\n2,c\xe4\n")  # 0x81 is no character of Windows-1252
    rows = list(read_rows(path, Notation(encoding="cp1252")))
    assert [(row.code, row.values.get("name")) for row in rows] == [("bad_utf8", None), ("", "cä")]
    assert rows[0].detail == "column 'name' is not CP1252 (byte 0x81); see catalogue.encoding"


def test_half_a_character_of_utf_16_rejects_its_row(tmp_path: Path) -> None:
    data = "sku,name\n1,a".encode("utf-16") + b"\x3d\xd8" + "b\n2,c\n".encode("utf-16-le")
    assert [row.code for row in read_rows(write(tmp_path, data))] == ["bad_utf8", ""]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"PK\x03\x04" + bytes(60),
            "is a ZIP archive, as Excel's workbooks (.xlsx) are, not text; save it as CSV UTF-8",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an Excel workbook (.xls), not text; save it as CSV UTF-8"),
        (b"PAR1" + bytes(60), "is Parquet, not text; let its name end with .parquet"),
        (b"\x28\xb5\x2f\xfd" + bytes(9), "is compressed with zstd, not text; unpack it, or compress it with gzip"),
        (b"BZh91AY", "is compressed with bzip2, not text"),
        (b"<!DOCTYPE html><title>Log in</title>", "is a web page or XML, not a table; see what the export wrote"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><rss>', "is a web page or XML, not a table"),
    ],
)
@pytest.mark.parametrize("name", ["feed.csv", "feed.jsonl"])
def test_what_is_no_text_is_told_by_its_name(tmp_path: Path, content: bytes, said: str, name: str) -> None:
    assert refusal(write(tmp_path, content, name)).startswith(said)


def test_json_lines_know_encodings_too(tmp_path: Path) -> None:
    path = write(tmp_path, '{"Größe": "ä"}\n'.encode("utf-16"), "feed.jsonl")
    assert column_names(path) == ["Größe"]
    bad = write(tmp_path, '{"sku": 1, "Größe": "ä"}\n'.encode("cp1252"), "bad.jsonl")
    [row] = read_rows(bad)
    assert (row.code, row.detail) == (
        "bad_utf8",
        "column 'Gr\ufffd\ufffde' is not UTF-8 (byte 0xe4); see catalogue.encoding",
    )
    assert next(read_rows(bad, Notation(encoding="cp1252"))).values == {"sku": 1, "Größe": "ä"}


@pytest.mark.parametrize(("named", "written"), [("shift_jis", "cp932"), ("iso-8859-1", "cp1252"), ("euc-kr", "cp949")])
def test_what_is_written_under_the_name_of_a_standard_is_of_windows(named: str, written: str, tmp_path: Path) -> None:
    text = {"cp932": "①㈱", "cp1252": "“5 €”", "cp949": "똠펲"}[written]
    file = write(tmp_path, f"sku;name\n1;{text}\n".encode(written))
    assert [row.values["name"] for row in read_rows(file, Notation(encoding=named, delimiter=";"))] == [text]
