"""What quality control reads, added to a served shop: a catalogue, and the index's table of similar items."""

from __future__ import annotations

import hashlib

import pyarrow as pa

from pipelines.store import Log
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import INDEX_ITEMS, ITEMS, PHOTOS, SIMILAR
from tests.serving.shop import BUCKETS, ServedShop

KEY, OTHER = "a curator's key", "the web shop's key"
COUNT = 12
KEYS = (
    f'[ann]\nsha256 = "{hashlib.sha256(KEY.encode()).hexdigest()}"\ncurator = true\n'
    f'[web]\nsha256 = "{hashlib.sha256(OTHER.encode()).hexdigest()}"\n'
)


def add_weakness(shop: ServedShop) -> None:
    """Let i0, a boot, be like sandals; the others like their own; i11 like nothing much."""
    odd, even = ([f"i{n}" for n in range(first, COUNT, 2)] for first in (1, 2))
    rows, items, photos = [], [], []
    for n in range(COUNT):
        own = f"i{n}"
        others = [one for one in (odd if n % 2 or not n else even) if one != own][:4]
        scores = [0.9 + n / 1000, 0.8, 0.7, 0.6] if n < COUNT - 1 else [0.2, 0.15, 0.1, 0.05]
        rows += [
            {"item_id": own, "rank": rank, "similar_item_id": other, "score": score}
            for rank, (other, score) in enumerate(zip(others, scores, strict=True), 1)
        ]
        path = ["Shoes", ("Boots", "Sandals")[n % 2]]
        items.append({"item_id": own, "category": path, "title": f"Item {n}", "image_uri": f"p{n}.jpg"})
        photos.append({"item_id": own, "image_uri": f"p{n}.jpg", "role": "main", "position": 0})
    for folder, values, schema in (
        ("indexes/first-index/similar", rows, SIMILAR),
        ("indexes/first-index/items", items, INDEX_ITEMS),
        ("catalogue/c1/items", items, ITEMS),
        ("catalogue/c1/photos", photos, PHOTOS),
    ):
        for bucket in range(BUCKETS):
            part = [value for value in values if bucket_of(str(value["item_id"]), BUCKETS) == bucket]
            write_bucket(shop.store, folder, bucket, pa.Table.from_pylist(part, schema))
    Log(shop.store, "catalogue/log").append(1, {"catalogue_id": "c1"})
    (shop.root / "keys.toml").write_text(KEYS)
