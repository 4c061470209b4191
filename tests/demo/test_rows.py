import csv
import io
from pathlib import Path

import pytest

from pipelines.catalogue.mapping import Mapper
from pipelines.catalogue.rows import read_rows
from pipelines.catalogue.values import RejectError
from pipelines.config import load_config
from pipelines.demo.config import write_config
from pipelines.demo.items import make_items, stream
from pipelines.demo.rows import BAD_ROWS, COLUMNS, cells_of, line_of
from pipelines.demo.taxonomy import grow


@pytest.fixture(scope="module")
def item():
    return make_items(grow(1, stream(1, 0)), [1], 1)[0]


def test_a_line_reads_back_as_its_cells(item):
    cells = cells_of(item, ["a.jpg", "b,c.jpg"])
    assert next(csv.reader(io.StringIO(line_of(cells).decode()))) == cells
    row = dict(zip(COLUMNS, cells, strict=True))
    assert row["category"] == " > ".join(item.leaf.path)
    assert (row["image_1"], row["image_2"], row["image_3"]) == ("a.jpg", "b,c.jpg", "")


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_a_bad_row_gets_its_code_from_the_catalogue(kind, item, tmp_path: Path):
    bad = BAD_ROWS[kind]
    feed = tmp_path / "products.csv"
    feed.write_bytes(line_of(COLUMNS) + line_of(bad.spoil(cells_of(item, ["a.jpg"]), item)))
    section = load_config(write_config(tmp_path)).catalogue.model_copy(update={"media": None})
    (row,) = read_rows(feed)
    code = row.code
    if not code:
        try:
            Mapper(section).item(row.values, 0.0)
        except RejectError as error:
            code = error.code
    assert code == ("" if bad.extra else bad.code)  # what is wrong with an extra row shows beside the good one only
