"""Groups and splits in Beam: whatever two items share, title, photo or group_id, puts them on one side."""

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest

from pipelines.config import BeamSection
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.preprocess import stage
from pipelines.preprocess.groups import own_label
from pipelines.preprocess.resolve import WORKING
from pipelines.preprocess.settled import commit_splits, settle, settled_until
from pipelines.preprocess.splits import SPLITS, ReadSettled, Shares, group_and_split
from pipelines.store import Store, UnitTable, open_store
from pipelines.tables.apart import NOTHING_APART, Apart
from pipelines.tables.schemas import SPLIT_KEYS
from pipelines.tables.variants import group_key, item_key
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
            "phash": hashlib.sha256(photo.partition("~")[0].encode()).digest()[:8] if photo else None,
        }
        for item, group, title, photo in photos
    ]
    return pa.Table.from_pylist(rows, WORKING)


def _put(store: Store, name: str, value: Any) -> None:
    store.create_json(name, value)


def split(
    store: Store, photos: Photos, name: str = "splits.json", most: int = 10**6, apart: Apart = NOTHING_APART
) -> dict[str, tuple[bytes, str]]:
    """Return each item's group and split; the new ones are committed."""

    def keep(pair: tuple[pa.Table, pa.Table]) -> None:
        for row in pair[0].cast(SPLITS).to_pylist():
            store.create_json(f"{name}/{row['item_id']}", [row["group"].hex(), row["split"]])

    def wire(pipeline: beam.Pipeline) -> None:
        parts = [photos[start::4] for start in range(4)]  # an item's photos are in several tables, as in a run
        rows = pipeline | CreateEach([part for part in parts if part]) | beam.Map(table_of)
        known = pipeline | "ReadSplits" >> ReadSettled(store, number)
        unlinked = partial(_put, store, f"{name}.unlinked")
        pairs, _ = group_and_split(rows, known, BUCKETS, Shares(0.4, 0.3, most), unlinked, apart)
        _ = pairs | "Keep" >> beam.Map(keep)
        units = pairs | "Commit" >> beam.Map(lambda pair: commit_splits(pair[1], store))
        _ = units | beam.combiners.ToList() | "Settle" >> beam.Map(settle, store, name, number)

    number = settled_until(store)

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


def groups_of(found: dict[str, tuple[bytes, str]]) -> list[str]:
    by_group: dict[bytes, list[str]] = {}
    for item in sorted(found):
        by_group.setdefault(found[item][0], []).append(item)
    return sorted(" ".join(items) for items in by_group.values())


def test_near_duplicates_are_on_one_side(store: Store) -> None:
    photos: Photos = [("a", "", "Boot", "p"), ("b", "", "Clog", "p~encoded again"), ("c", "", "Cap", "q")]
    assert groups_of(split(store, photos)) == ["a b", "c"]


def test_a_placeholder_links_nothing_and_is_told(store: Store) -> None:
    photos: Photos = [(f"i{n}", "", f"Item {n}", f"p{n}") for n in range(6)]
    photos += [(f"i{n}", "", f"Item {n}", "no photo yet") for n in range(5)]
    photos += [
        ("t0", "g", "Product", "q0"),
        ("t1", "g", "Product", "q1"),
        *((f"t{n}", "", "Product", f"q{n}") for n in (2, 3, 4)),
    ]
    found = split(store, photos, most=4)
    assert groups_of(found) == ["i0", "i1", "i2", "i3", "i4", "i5", "t0 t1", "t2", "t3", "t4"]
    told = store.read_json("splits.json.unlinked")
    assert [(kind, items) for kind, _, items, _ in told["common"]] == [(0, 5), (2, 5), (3, 5)]
    assert told["refused"] == 0


def test_no_chain_holds_more_than_its_share(store: Store) -> None:
    photos: Photos = [(f"i{n}", "", f"Item {n}", f"p{m}") for n in range(10) for m in (n, n + 1)]
    found = split(store, photos, most=4)
    sizes = [len(items.split()) for items in groups_of(found)]
    assert (max(sizes), sum(sizes)) == (4, 10)
    assert store.read_json("splits.json.unlinked")["refused"] >= 2


def test_of_two_runs_that_split_at_once_the_second_takes_what_the_first_has_settled(store: Store) -> None:
    new = pa.table({"item_id": ["a"], "group": pa.array([b"g" * 8], pa.binary(8)), "split": ["test"]})
    other = new.set_column(2, "split", pa.array(["train"]))
    first, second = commit_splits(new, store), commit_splits(other, store)
    assert first != second
    assert settle([first], store, "one", 0)
    assert not settle([second], store, "two", 0)
    assert settle([first, ""], store, "one", 0)  # a retry of the same step
    assert settled_until(store) == 1
    found = split(store, [("a", "", "Boot", "p"), ("b", "", "boot", "q")])
    assert {item: part for item, (_, part) in found.items()} == {"a": "test", "b": "test"}


def test_splits_of_a_store_without_a_log_are_its_first_entry(store: Store) -> None:
    for unit_id, part in (("00000000000000aa", "val"), ("00000000000000bb", "train")):
        row = {"item_id": "a", "group": b"g" * 8, "split": part, "code": "", "row": -1}
        UnitTable(store, "splits").commit(unit_id, pa.Table.from_pylist([row], SPLIT_KEYS))
    assert settled_until(store) == 1
    assert split(store, [("a", "", "Boot", "p")])["a"][1] == "val"  # the smallest unit, as it was read then


def test_a_run_that_was_slower_splits_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = plain_shop(tmp_path / "shop", 8)
    shop.run("r", "catalogue")
    rival = pa.table({"item_id": ["i3"], "group": pa.array([b"r" * 8], pa.binary(8)), "split": ["test"]})
    asked = list[int]()

    def late(store: Store) -> int:
        number = settled_until(store)
        if not asked:
            settle([commit_splits(rival, store)], store, "rival", number)
        asked.append(number)
        return number

    monkeypatch.setattr(stage, "settled_until", late)
    shop.run("r", "preprocess")
    assert asked == [0, 1, 2]  # it splits twice, and says behind which entry it has ended
    splits = {row["item_id"]: row["split"] for row in shop.prepared("r")}
    assert (len(splits), splits["i3"]) == (8, "test")


def test_what_both_of_a_pair_have_links_neither(store: Store) -> None:
    photos = [("a", "g", "Boot", "1"), ("b", "g", "Boot", "1"), ("c", "", "Boot", "2"), ("d", "", "Dd", "2")]
    together = split(store, photos, "before")
    assert len({group for group, _ in together.values()}) == 1
    apart = Apart(frozenset({("a", "b")}))
    found = split(store, photos, "after", apart=apart)
    assert len({found[item][0] for item in "abc"}) == 3
    assert found["c"][0] == found["d"][0]  # nobody said anything of these
    assert {item: part for item, (_, part) in found.items()} == {item: part for item, (_, part) in together.items()}
    kept = store.read_json("after.unlinked")
    assert kept["apart"] == sorted(item_key(item).hex() for item in "ab")
    assert kept["common"] == []


def test_a_third_that_is_like_both_keeps_a_pair_together(store: Store) -> None:
    """Of the photos that both show neither links; a photo of c's is like each of them."""
    photos = [
        ("a", "", "Aa", "1"),
        ("b", "", "Bb", "1"),
        ("c", "", "Cc", "2"),
        ("a", "", "Aa", "2"),
        ("b", "", "Bb", "3"),
    ]
    found = split(store, [*photos, ("c", "", "Cc", "3")], apart=Apart(frozenset({("a", "b")})))
    assert len({group for group, _ in found.values()}) == 1


def test_an_item_is_not_linked_by_a_photo_that_it_is_not_alike(store: Store) -> None:
    photos = [("a", "", "Aa", "1"), ("b", "", "Bb", "1"), ("b", "", "Bb", "2"), ("c", "", "Cc", "2")]
    digest = hashlib.sha256(b"1").hexdigest()
    found = split(store, photos, apart=Apart(photos=frozenset({("a", digest)})))
    assert found["a"][0] != found["b"][0] == found["c"][0]
