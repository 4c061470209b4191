"""Groups and splits in Beam: whatever two items share, title, photo or group_id, puts them on one side."""

import hashlib
import json
from pathlib import Path

import apache_beam as beam
import pyarrow as pa
import pytest

from pipelines.config import BeamSection
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach, ReadUnitKeys
from pipelines.preprocess.groups import group_key, own_label
from pipelines.preprocess.resolve import WORKING
from pipelines.preprocess.splits import SPLITS, commit_splits, group_and_split
from pipelines.store import Store, UnitTable, open_store
from tests.catalogue.shop import plain_shop, rows_of

BUCKETS = 3
Photos = list[tuple[str, str, str, str]]  # item, group_id, title, photo


def table_of(photos: Photos) -> pa.Table:
    rows = [
        {
            "item_id": item,
            "label": own_label(item, group, title),
            "group_key": group_key(group),
            "digest": hashlib.sha256(photo.encode()).digest() if photo else None,
        }
        for item, group, title, photo in photos
    ]
    return pa.Table.from_pylist(rows, WORKING)


def split(store: Store, photos: Photos, name: str = "splits.json") -> dict[str, tuple[bytes, str]]:
    """Return each item's group and split; the new ones are committed."""

    def keep(pair: tuple[pa.Table, pa.Table]) -> None:
        for row in pair[0].cast(SPLITS).to_pylist():
            store.create_json(f"{name}/{row['item_id']}", [row["group"].hex(), row["split"]])

    def wire(pipeline: beam.Pipeline) -> None:
        parts = [photos[start::4] for start in range(4)]  # an item's photos are in several tables, as in a run
        rows = pipeline | CreateEach([part for part in parts if part]) | beam.Map(table_of)
        known = pipeline | "ReadSplits" >> ReadUnitKeys(store, ["splits"])
        pairs = group_and_split(rows, known, BUCKETS, 0.4, 0.3)
        _ = pairs | "Keep" >> beam.Map(keep)
        _ = pairs | "Commit" >> beam.Map(commit_splits, store)

    Jobs(BeamSection(), "test").run("split", wire)
    found = {entry.name.rpartition("/")[2]: json.loads(store.read(entry.name)) for entry in store.list(name)}
    return {item: (bytes.fromhex(group), part) for item, (group, part) in found.items()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def test_titles_photos_and_group_ids_make_groups(store: Store) -> None:
    photos: Photos = [
        ("a", "g1", "Red boot", "1"),
        ("b", "g1", "Blue boot", "2"),  # a variant of a
        ("c", "", "blue  BOOT", "3"),  # the title of b
        ("c", "", "blue  BOOT", "4"),
        ("d", "", "Clog", "4"),  # a photo of c
        ("e", "g2", "Clog", "5"),  # the title of d
        ("f", "g2", "", ""),  # a variant of e, without title and photo
        ("g", "g2", "Another", "6"),
        ("h", "", "Another one", "7"),
        ("i", "", "", "8"),
        ("j", "", "", "8"),  # a photo of i
        ("k", "", "", ""),
    ]
    found = split(store, photos)
    assert found.keys() == set("abcdefghijk")
    by_group: dict[bytes, set[str]] = {}
    for item, (group, _) in found.items():
        by_group.setdefault(group, set()).add(item)
    assert sorted(map(sorted, by_group.values())) == [list("abcdefg"), ["h"], ["i", "j"], ["k"]]
    assert all(len({found[item][1] for item in items}) == 1 for items in by_group.values())
    titled = {"a": "red boot", "b": "blue boot", "d": "clog", "g": "another"}
    labels = [own_label("", "", title) for title in titled.values()]
    assert found["a"][0] == min([*labels, group_key("g2") or b""])


def test_a_new_variant_follows_what_was_split_before(store: Store) -> None:
    before = split(store, [(f"i{n}", f"g{n}", f"Boot {n}", f"p{n}") for n in range(40)])
    assert {part for _, part in before.values()} == {"train", "val", "test"}
    again = [(f"i{n}", f"g{n}", f"Boot {n}", f"p{n}") for n in range(40)]
    after = split(store, [*again, *((f"v{n}", f"g{n}", f"Another {n}", f"q{n}") for n in range(40))], "after.json")
    assert {item: after[item][1] for item in before} == {item: part for item, (_, part) in before.items()}
    assert all(after[f"v{n}"][1] == before[f"i{n}"][1] for n in range(40))
    assert (
        sum(UnitTable(store, "splits").read_keys(unit).num_rows for unit in UnitTable(store, "splits").unit_ids()) == 80
    )


def test_variants_of_a_feed_are_on_one_side(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 30)
    shop.write_csv([{**row, "model": f"m{n // 2}"} for n, row in enumerate(rows_of(30))])
    columns = {"item_id": "sku", "photos": "image", "category": "path", "title": "name", "group_id": "model"}
    shop.write_config(catalogue={"columns": columns}, preprocess={"val_share": 0.4, "test_share": 0.3})
    shop.run("r", "catalogue", "preprocess")
    splits = {row["item_id"]: row["split"] for row in shop.prepared("r")}
    assert len(splits) == 30
    assert set(splits.values()) == {"train", "val", "test"}
    assert [splits[f"i{n}"] for n in range(0, 30, 2)] == [splits[f"i{n}"] for n in range(1, 30, 2)]
