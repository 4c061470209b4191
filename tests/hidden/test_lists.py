"""Files of item ids, as programs write them."""

from pathlib import Path

import pytest

from pipelines.errors import StageError
from pipelines.hidden.lists import read_list
from pipelines.tables.item_ids import ids_of

HEADINGS = ("item_id", "sku")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"A-1\nB-2\n", ["A-1", "B-2"]),
        (b"A-1\r\nB-2", ["A-1", "B-2"]),
        (b"A-1\rB-2\r", ["A-1", "B-2"]),
        (b"\xef\xbb\xbfA-1\n\n  B-2 \n\n", ["A-1", "B-2"]),
        (b"\xef\xbb\xbfSKU\r\nA-1\r\n", ["A-1"]),
        (b"item_id\nA-1\nitem_id\n", ["A-1", "item_id"]),
        (b'"sku"\n"A-1"\n"say ""B"""\n"a,b"\n', ["A-1", 'say "B"', "a,b"]),
        ("sku\r\nÄ-1\r\n".encode("utf-16"), ["Ä-1"]),
        (b"\xfe\xff" + "Ä-1\n".encode("utf-16-be"), ["Ä-1"]),
        (b"007\n1,5\nA-1\t\n", ["007", "1,5", "A-1"]),
        (b"A-1\nA-1\n", ["A-1"]),
    ],
)
def test_as_exporters_write_them(tmp_path: Path, data: bytes, expected: list[str]) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes(data)
    assert ids_of(read_list(str(path), HEADINGS)) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"A-1\nB-2\tred shoe\n", r"ids\.txt, line 2: 'B-2\\tred shoe' has 2 columns"),
        (b'"A-1","red shoe"\n', r"line 1: .* has 2 columns"),
        (b"caf\xe9\n", r"is not UTF-8 .*; save it as UTF-8"),
        (b"\xff\xfeA", r"is not UTF-16"),
    ],
)
def test_what_is_no_list_of_ids(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "ids.txt"
    path.write_bytes(data)
    with pytest.raises(StageError, match=message):
        read_list(str(path), HEADINGS)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"gone\.txt cannot be read \(No such file or directory\)"):
        read_list(str(tmp_path / "gone.txt"), HEADINGS)
