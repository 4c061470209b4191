import json
import math
from pathlib import Path

import pytest

from pipelines.catalogue.formats import json_document, json_rows
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
DOCUMENTS = [
    pytest.param(json.dumps(ROWS, indent=1), [2, 10], id="a list over lines"),
    pytest.param(json.dumps(ROWS), [1, 1], id="a list on a line"),
    pytest.param("\n\n" + json.dumps(ROWS), [3, 3], id="a list below empty lines"),
    pytest.param(f"[\n{ONE_A_LINE}\n]\n", [2, 3], id="a list of lines"),
    pytest.param(f"[{ONE_A_LINE}]", [1, 2], id="PostgreSQL's json_agg"),
    pytest.param("[\n" + ONE_A_LINE + ",\n]", [2, 3], id="a comma behind the last"),
    pytest.param("\n".join(json.dumps(row, indent=2) for row in ROWS), [1, 9], id="objects over lines"),
    pytest.param("\n\n" + "".join(map(json.dumps, ROWS)), [3, 3], id="objects on one line"),
    pytest.param(json.dumps({"products": ROWS}), [1, 1], id="an object that holds them"),
    pytest.param(json.dumps({"products": ROWS}, indent=1), [3, 11], id="an object that holds them over lines"),
    pytest.param(json.dumps({"total": 2, "next": None, "data": {"items": ROWS}, "ok": True}), [1, 1], id="deep in one"),
    pytest.param("\n".join(json.dumps([row]) for row in ROWS), [1, 2], id="lists one after another"),
    pytest.param(
        "".join(json.dumps({"n": 1, "products": [row], "next": {"page": [2]}}) + "\n" for row in ROWS),
        [1, 2],
        id="pages",
    ),
    pytest.param("\r\n".join(map(json.dumps, ROWS)), [1, 2], id="lines of Windows"),
]
READ = Columns("sku", frozenset({"photos.src"}), frozenset({"sku", "photos.src"}))


@pytest.mark.parametrize("chunk", [5, 1 << 16])
@pytest.mark.parametrize(("content", "places"), DOCUMENTS)
def test_documents_are_read_as_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, places: list[int], chunk: int
) -> None:
    monkeypatch.setattr(json_document, "_CHUNK", chunk)
    path = write(tmp_path / "a.json", content)
    rows = list(read_rows(path, columns=READ))
    assert [row.values for row in rows] == [
        {"sku": "1", "photos.src": ["a.jpg"]},
        {"sku": "2", "photos.src": ["b.jpg"]},
    ]
    assert [row.place for row in rows] == places
    assert column_names(path, columns=READ) == ["sku", "photos", "photos.src"]


def test_an_object_in_one_file_is_a_row_and_not_what_holds_its_photos(tmp_path: Path) -> None:
    for content in (json.dumps(ROWS[0], indent=1), json.dumps(ROWS[0])):
        [row] = read_rows(write(tmp_path / "a.json", content), columns=READ)
        assert row.values == {"sku": "1", "photos.src": ["a.jpg"]}


def test_a_document_of_more_than_is_looked_at_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_rows, "_HEAD_CHARACTERS", 60)
    many = [{"sku": str(n), "photos": [{"src": f"{n}.jpg"}]} for n in range(200)]
    content = json.dumps({"shop": "A, {b}", "count": 200, "data": {"products": many}})
    rows = list(read_rows(write(tmp_path / "a.json", content), columns=READ))
    assert [row.values["sku"] for row in rows] == [str(n) for n in range(200)]


@pytest.mark.parametrize("indent", [None, 1])
def test_what_is_no_json_within_a_document_costs_its_own_row(tmp_path: Path, indent: int | None) -> None:
    many = [{"sku": str(n), "photos": [{"sku": "no", "src": f"{n}.jpg"}], "price": 1} for n in range(5)]
    content = json.dumps({"products": many}, indent=indent).replace('"1.jpg"', "1.jpg")
    rows = list(read_rows(write(tmp_path / "a.json", content), columns=READ))
    assert [(row.values.get("sku"), row.code, row.may_name) for row in rows] == [
        ("0", "", ()), (None, "bad_row", ("1",)), ("2", "", ()), ("3", "", ()), ("4", "", ()),
    ]  # fmt: skip
    assert not any(row.ends_early for row in rows)


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("lost", [1, 2, 9, 20, 40])
def test_a_document_that_was_cut_off_is_told(tmp_path: Path, indent: int | None, lost: int) -> None:
    content = json.dumps([{"sku": str(n), "photos": [{"src": f"{n}.jpg"}]} for n in range(5)], indent=indent)
    rows = list(read_rows(write(tmp_path / "a.json", content[:-lost]), columns=READ))
    whole = [row for row in rows if not row.code]
    assert [row.values["sku"] for row in whole] == [str(n) for n in range(len(whole))]
    assert (len(whole), rows[-1].code, rows[-1].ends_early) == (4 + (lost <= (2 if indent else 1)), "bad_row", True)
    assert len(rows) == len(whole) + 1
    if len(whole) == 4 and lost < 40:
        assert rows[-1].may_name == ("4",)


def test_what_holds_no_objects_is_refused(tmp_path: Path) -> None:
    for content in ('"sku"\n', "[1, 2]", "<html>"):
        path = write(tmp_path / "a.json", content)
        with pytest.raises(FeedError, match=r"a\.json (cannot be read: it has no JSON object|is a web page)"):
            column_names(path)


def test_nan_is_read_as_what_it_is(tmp_path: Path) -> None:
    [row] = read_rows(write(tmp_path / "a.jsonl", '{"sku": 1, "colour": NaN}'))
    assert math.isnan(row.values["colour"])
