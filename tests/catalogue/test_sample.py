"""A sample: some of every leaf, the same ones each time, in a store of its own."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipelines.catalogue.sample import enough, quotas
from pipelines.store import Store
from pipelines.store.folder import FolderStore
from tests.catalogue.shop import COLUMNS, Shop, rows_of


@pytest.mark.parametrize(
    ("sizes", "limit", "taken"),
    [
        ({"a": 100, "b": 100}, 20, {"a": 10, "b": 10}),
        ({"a": 90, "b": 10}, 20, {"a": 14, "b": 6}),
        ({"a": 1000, "b": 3}, 100, {"a": 97, "b": 3}),
        ({"a": 3, "b": 2}, 100, {"a": 3, "b": 2}),
        ({"a": 30, "b": 20, "c": 10}, 2, {"a": 1, "b": 1}),
        ({}, 10, {}),
    ],
)
def test_a_few_of_each_leaf_and_the_rest_in_proportion(
    sizes: dict[str, int], limit: int, taken: dict[str, int]
) -> None:
    assert quotas(sizes, limit) == taken


@pytest.mark.parametrize("limit", [1, 7, 50, 333, 5000])
def test_quotas_add_up_to_the_limit(limit: int) -> None:
    sizes = {f"leaf{n}": 1 + n * n % 97 for n in range(80)}
    found = quotas(sizes, limit)
    assert sum(found.values()) == min(limit, sum(sizes.values()))
    assert all(0 < count <= sizes[leaf] for leaf, count in found.items())


class Sampled(Shop):
    """A shop as the store of its sample shows it."""

    @property
    def store(self) -> Store:
        return FolderStore(self.root / "store-sample")


def rows(count: int) -> list[dict[str, Any]]:
    """Of ten items nine are of one leaf."""
    return [row | {"path": "Shoes > Rare" if n % 10 == 0 else "Shoes > Common"} for n, row in enumerate(rows_of(count))]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path / "shop")
    shop.write_csv(rows(100))
    shop.write_config()
    return shop


def read(shop: Shop, run_id: str, limit: int) -> tuple[dict[str, Any], Shop]:
    """Read by the command line; the last line, and the shop as its sample's store shows it."""
    result = shop.cli("catalogue", "--run-id", run_id, "--limit", str(limit))
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1]), Sampled(shop.root)


def test_a_sample_has_its_own_store_and_every_leaf(shop: Shop) -> None:
    line, sampled = read(shop, "r1", 20)
    assert not (shop.root / "store").exists()
    assert (line["counts"]["in"], line["counts"]["items"], line["counts"]["added"]) == (100, 20, 20)
    leaves = Counter(row["category"][-1] for row in sampled.table("items"))
    assert leaves == {"Rare": 6, "Common": 14}
    assert len(sampled.table("photos")) == 20
    first, second = sampled.head()[1]["notes"][:2]
    assert first.startswith("a sample of 20 of 100 items, of all 2 leaf categories")
    assert second == (  # 7 leave 5 to learn from
        "1 of the 2 leaf categories of 7 items or more, which are what a model can learn (train.min_leaf_images, and "
        "what is held out), has as many in the sample; --limit 38 keeps them all"
    )


def test_a_sample_of_fewer_items_than_leaves_tells_of_how_many_it_is(shop: Shop) -> None:
    _, sampled = read(shop, "r1", 1)
    first, second = sampled.head()[1]["notes"][:2]
    assert first.startswith("a sample of 1 of 100 items, of 1 of 2 leaf categories")
    assert second.startswith("none of the 2 leaf categories of 7 items or more")
    _, sampled = read(shop, "r2", 38)
    assert not [note for note in sampled.head()[1]["notes"] if "a model can learn" in note]


@pytest.mark.parametrize("sizes", [{"a": 10, "b": 90}, {"a": 7}, {f"l{n}": 1 + n % 13 for n in range(90)}])
def test_the_limit_that_is_named_keeps_what_can_be_learned(sizes: dict[str, int]) -> None:
    limit = enough(sizes, 7)
    assert all(quotas(sizes, limit)[leaf] >= 7 for leaf, size in sizes.items() if size >= 7)


def test_it_is_the_same_one_each_time_and_grows_with_the_limit(shop: Shop) -> None:
    read(shop, "r1", 20)
    first = Sampled(shop.root).item_ids()
    unchanged, _ = read(shop, "r2", 20)
    assert (unchanged["counts"]["in"], unchanged["counts"]["items"]) == (0, 20)
    more, sampled = read(shop, "r3", 40)
    assert (more["counts"]["items"], more["counts"]["added"], more["counts"]["removed"]) == (40, 20, 0)
    assert first < sampled.item_ids()
    less, sampled = read(shop, "r4", 20)
    assert (sampled.item_ids(), less["counts"]["removed"]) == (first, 20)


def test_what_leaves_the_shop_leaves_the_sample(shop: Shop) -> None:
    read(shop, "r1", 20)
    gone = sorted(Sampled(shop.root).item_ids())[0]
    shop.write_csv([row for row in rows(100) if row["sku"] != gone])
    line, sampled = read(shop, "r2", 20)
    assert gone not in sampled.item_ids()
    assert (line["counts"]["items"], line["counts"]["removed"], line["counts"]["added"]) == (20, 1, 1)


def test_variants_of_a_group_are_drawn_together(shop: Shop) -> None:
    grouped = [row | {"parent": f"g{n // 4}", "path": "Shoes > Common"} for n, row in enumerate(rows(100))]
    shop.write_csv(grouped)
    shop.write_config(catalogue={"columns": COLUMNS | {"group_id": "parent"}})
    _, sampled = read(shop, "r1", 20)
    assert sorted(Counter(row["group_id"] for row in sampled.table("items")).values()) == [4] * 5


def test_the_shops_own_store_goes_on_without_a_trace(shop: Shop) -> None:
    shop.run("r", "catalogue")
    before = shop.head()
    read(shop, "r1", 10)
    assert shop.head() == before
    assert shop.cli("status", "--sample").exit_code == 0
