"""Folders that name columns: their values are those of all rows of the files in them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.catalogue.formats.base import Columns
from pipelines.catalogue.partitions import partitions_of
from pipelines.catalogue.rows import column_names, read_rows
from pipelines.config import load_config
from tests.catalogue.shop import Shop, jpeg
from tests.survey.test_init import init


@pytest.mark.parametrize(
    ("path", "columns"),
    [
        ("feed/category=Shoes/part-0.csv", {"category": "Shoes"}),
        (
            "day=2026-11-28/category=Men%20%3E%20Shoes/a=b=c/x.csv",
            {"day": "2026-11-28", "category": "Men > Shoes", "a": "b=c"},
        ),
        ("category=__HIVE_DEFAULT_PARTITION__/x.csv", {"category": ""}),
        ("feed/a=b.csv", {}),
        ("export?token=secret/x.csv", {}),
        ("=x/x.csv", {}),
    ],
)
def test_folders_that_name_columns(path: str, columns: dict[str, str]) -> None:
    assert partitions_of(Path(path)) == columns


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_they_are_columns_of_each_row_which_those_of_the_file_count_before(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "type=Mugs" / "name=none" / "day=1"
    folder.mkdir(parents=True)
    file = folder / f"x.{kind}"
    if kind == "csv":
        file.write_text("sku,name\na1,Mug\na2,Cup\n", encoding="utf-8")
    elif kind == "json":
        file.write_text('{"sku": "a1", "name": "Mug"}\n{"sku": "a2", "name": "Cup"}\n', encoding="utf-8")
    else:
        pq.write_table(pa.table({"sku": ["a1", "a2"], "name": ["Mug", "Cup"]}), file)
    assert column_names(file) == ["sku", "name", "type", "day"]
    rows = [row.values for row in read_rows(file, columns=Columns("sku", read=frozenset({"sku", "name", "type"})))]
    assert rows == [{"sku": "a1", "name": "Mug", "type": "Mugs"}, {"sku": "a2", "name": "Cup", "type": "Mugs"}]


def test_a_feed_whose_categories_are_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `df.write.partitionBy("category")` writes it, from `init` to the catalogue."""
    monkeypatch.chdir(tmp_path)
    for category in ("Mugs", "Tea%20Pots"):
        folder = tmp_path / "feed" / f"category={category}"
        folder.mkdir(parents=True)
        ids = [f"{category[0]}{n}" for n in range(30)]
        pq.write_table(
            pa.table({"sku": ids, "name": [f"A {one}" for one in ids], "photo": [f"{one}.jpg" for one in ids]}),
            folder / "part-00000.snappy.parquet",
        )
        for n, one in enumerate(ids):
            (tmp_path / "feed" / f"{one}.jpg").write_bytes(jpeg(n))
    assert init("feed/*/*.parquet", "--photos", "feed").exit_code == 0
    assert load_config("shop.toml").catalogue.columns.category == "category"
    shop = Shop(tmp_path)
    shop.run("r", "catalogue")
    counts = Counter(tuple(row["category"]) for row in shop.table("items"))
    assert counts == {("Mugs",): 30, ("Tea Pots",): 30}
