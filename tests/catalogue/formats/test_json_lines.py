import json
import math
from pathlib import Path

import pytest

from pipelines.catalogue.formats.base import Columns, FeedError, Notation
from pipelines.catalogue.rows import column_names, read_rows


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_json_lines(tmp_path: Path) -> None:
    lines = ['{"sku": 1, "photos": ["a", "b"]}', "", "[1]", "{not json", '"text"', '{"sku": 2}', "[" * 100_000]
    path = write(tmp_path / "a.jsonl", "\n".join(lines))
    rows = list(read_rows(path))
    assert [(row.number, row.place, row.code) for row in rows] == [
        (1, 1, ""), (2, 3, "bad_row"), (3, 4, "bad_row"), (4, 5, "bad_row"), (5, 6, ""), (6, 7, "bad_row")
    ]  # fmt: skip
    assert rows[0].values == {"sku": 1, "photos": ["a", "b"]}
    assert rows[1].detail == "a JSON list, not an object"
    assert column_names(path) == ["sku", "photos"]


@pytest.mark.parametrize(
    ("line", "may_name"),
    [
        ('{"sku": "a1", "name": "Boot', ("a1",)),  # cut off
        ('{"name": "a "big" boot", "sku" : 12}', ("12",)),
        ('{"sku": "a1", "name": 1,50}', ("a1",)),
        ('{"name": "Boot', ()),
    ],
)
def test_a_broken_line_may_still_name_its_item(tmp_path: Path, line: str, may_name: tuple[str, ...]) -> None:
    [row] = read_rows(write(tmp_path / "a.jsonl", line), Notation(), Columns("sku"))
    assert (row.code, row.may_name) == ("bad_row", may_name)


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (b'{"sku": "1", "name": "caf\xe9"}', "column 'name' is not UTF-8 (byte 0xe9); see catalogue.encoding"),
        (b'{"sku": "1", "photos": ["caf\xe9"]}', "column 'photos' is not UTF-8 (byte 0xe9); see catalogue.encoding"),
        # half of an emoji, all in ASCII
        (rb'{"sku": "1", "name": "cut \ud83d"}', "column 'name' is not UTF-8; see catalogue.encoding"),
        (rb'{"sku": "1", "photos": ["\ude00.jpg"]}', "column 'photos' is not UTF-8; see catalogue.encoding"),
        (rb'{"sku": "1", "\ud83d": "x"}', "column '\ufffd' is not UTF-8; see catalogue.encoding"),
    ],
)
def test_json_text_that_cannot_be_written_again_is_a_reject(tmp_path: Path, line: bytes, detail: str) -> None:
    bad, good = read_rows(write(tmp_path / "a.jsonl", line + b'\n{"sku": "\\ud83d\\ude00"}'))
    assert (bad.code, bad.values, bad.detail) == ("bad_utf8", {"sku": "1"}, detail)
    assert good.values == {"sku": "😀"}


def test_a_json_array_is_told_from_json_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", json.dumps([{"sku": "1"}], indent=1))
    with pytest.raises(
        FeedError,
        match=r"a\.json cannot be read: it holds no JSON object in its first rows \(row 1: .*write one object a",
    ):
        column_names(path)


def test_nan_is_read_as_what_it_is(tmp_path: Path) -> None:
    [row] = read_rows(write(tmp_path / "a.jsonl", '{"sku": 1, "colour": NaN}'))
    assert math.isnan(row.values["colour"])
