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


ROWS = [{"sku": "1", "photos": [{"src": "a.jpg"}]}, {"sku": "2", "photos": [{"src": "b.jpg"}]}]
ONE_A_LINE = ",\n".join(map(json.dumps, ROWS))
NO_OBJECTS = "its lines are no JSON objects (row 1: "
FROM_OBJECTS, FROM_A_LIST = (f"write one object a line, such as with jq -c {how}" for how in (".", "'.[]'"))


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        pytest.param(json.dumps(ROWS, indent=1), FROM_A_LIST, id="a list over lines"),
        pytest.param(json.dumps(ROWS), FROM_A_LIST, id="a list on a line"),
        pytest.param(f"[\n{ONE_A_LINE}\n]\n", FROM_A_LIST, id="a list of lines"),
        pytest.param(f"[{ONE_A_LINE}]", FROM_A_LIST, id="PostgreSQL's json_agg"),
        pytest.param("\n".join(json.dumps(row, indent=2) for row in ROWS), FROM_OBJECTS, id="objects over lines"),
        pytest.param('{\n "sku": "1",\n "photos": [\n  {"src": "a.jpg"}\n ]\n}\n', FROM_OBJECTS, id="an object in one"),
        pytest.param("\n\n" + "".join(map(json.dumps, ROWS)), FROM_OBJECTS, id="objects on one line"),
        pytest.param('"sku"\n', "write one object a line", id="neither"),
    ],
)
def test_json_that_is_no_json_lines_is_told_with_how_to_make_it_so(tmp_path: Path, content: str, fix: str) -> None:
    path = write(tmp_path / "a.json", content)
    with pytest.raises(FeedError) as caught:
        column_names(path)
    assert str(caught.value).startswith(f"{path} cannot be read: {NO_OBJECTS}")
    assert str(caught.value).endswith(f"; {fix}")


def test_nan_is_read_as_what_it_is(tmp_path: Path) -> None:
    [row] = read_rows(write(tmp_path / "a.jsonl", '{"sku": 1, "colour": NaN}'))
    assert math.isnan(row.values["colour"])
