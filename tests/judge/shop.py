"""A tiny shop with two releases, `a` and `b`, of two runs, a catalogue, and the queries that they were measured by."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipelines.store import initialise, parquet
from pipelines.tables.buckets import bucket_name, bucket_of, read_parquet, write_bucket
from pipelines.tables.schemas import ITEMS, RESOLVED_PHOTOS
from tests.serving.shop import BUCKETS, CONFIG, ServedShop

SIGNALS = '[catalogue.columns.signals]\nviews = "views"\n'


@dataclass(frozen=True)
class JudgedShop(ServedShop):
    """Items i0 to i13 have a photo each in run a, i0 to i15 in run b; photo 1 is of i0 too, and not in the gallery."""

    def copied(self, root: Path) -> JudgedShop:
        shutil.copytree(self.root, root)
        return JudgedShop(root)

    def add_release_of(self, release_id: str, numbers: Sequence[int]) -> None:
        run_id, index_id = f"run-{release_id}", f"index-{release_id}"
        self.add_photos(run_id, numbers)
        self._add_street_photo(run_id)
        self.add_index(index_id, numbers)
        self.add_release(release_id, index_id, run_id)
        name = f"releases/{release_id}/manifest.json"
        self.store.put(name, json.dumps(self.store.read_json(name) | {"catalogue_id": "c1"}).encode())
        digests = [self.digest(n) for n in (2, 3, 4, 5)]
        table = pa.table({"digest": pa.array(digests, pa.binary(32)), "weight": [1.0] * 4})
        self.store.create(f"releases/{release_id}/queries.parquet", parquet.encoded(table))
        self.store.create_json(f"releases/{release_id}/metrics.json", {})

    def add_catalogue(self, catalogue_id: str, numbers: Sequence[int]) -> None:
        """Write items whose categories are Shoes > Boots, Bags and Hats in turn; item n was looked at n times."""
        paths = (["Shoes", "Boots"], ["Bags"], ["Hats"])
        items = [
            {"item_id": f"i{n}", "title": f"Item {n}", "category": paths[n % 3], "signals": [("views", float(n))]}
            for n in numbers
        ]
        for bucket in range(BUCKETS):
            own = [item for item in items if bucket_of(item["item_id"], BUCKETS) == bucket]
            folder = f"catalogue/{catalogue_id}/items"
            write_bucket(self.store, folder, bucket, pa.Table.from_pylist(own, ITEMS))

    def measure_by_street(self, release_id: str) -> None:
        """Have releases be measured by the photo that is not in the gallery, among others of no test split."""
        table = pa.table({"digest": pa.array([self.digest(1), self.digest(2)], pa.binary(32)), "weight": [1.0, 1.0]})
        self.store.put(f"releases/{release_id}/queries.parquet", parquet.encoded(table))

    def _add_street_photo(self, run_id: str) -> None:
        name = f"runs/{run_id}/preprocess/photos/{bucket_name(bucket_of('i0', BUCKETS))}"
        table = read_parquet(self.store, name)
        street = {"item_id": "i0", "image_uri": "street.jpg", "role": "street", "position": 1, "code": ""}
        street |= {"digest": self.digest(1), "image_unit": f"unit-{run_id}", "image_row": 1, "split": "test"}
        both = pa.concat_tables([table, pa.Table.from_pylist([street], RESOLVED_PHOTOS)])
        self.store.put(name, parquet.encoded(both))


def make_shop(root: Path, exported: Path) -> JudgedShop:
    """Return the shop; release `a` is live."""
    root.mkdir(parents=True)
    shop = JudgedShop(root)
    shop.config_path.write_text(CONFIG + SIGNALS, encoding="utf-8")
    initialise(shop.store, BUCKETS)
    leaves = {"Shoes > Boots": 0, "Shoes > Sandals": 1}
    shop.store.create_json("taxonomy/00000001.json", {"leaves": leaves, "levels": [], "attributes": {}})
    shop.add_model(exported)
    shop.add_catalogue("c1", range(16))
    shop.add_release_of("a", range(14))
    shop.add_release_of("b", range(16))
    shop.go_live("a")
    return shop
