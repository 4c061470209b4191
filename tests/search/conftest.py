"""A shop of 40 items with drawn photos, a tiny real SavedModel and a real index, promoted."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image, ImageDraw

from pipelines.config import Config
from pipelines.store import Log, Store, initialise, open_store
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import PHOTOS
from tests.models.model_json import model_json
from transforms.image import prepare
from transforms.photo import PrepSpec

SPEC = PrepSpec(32, 32)
COLOURS = ((220, 40, 40), (40, 160, 60), (40, 80, 220), (230, 180, 20))
LEAVES = ("bags", "boots", "<hats> & caps", "lamps")
SLOTS = (5, 2, 7, 0)
"""The permanent slots of the leaves, in the order of the model's columns."""

EVIL = "item<script>alert(1)</script>"


@dataclass(frozen=True)
class Shop:
    """Where the shop's things are; `photos` are the catalogue's files in the order of `item_ids`."""

    config: Config
    store: Store
    root: Path
    item_ids: list[str]
    photos: list[Path]


def draw(number: int) -> bytes:
    """Return a JPEG of item `number`: a leaf's colour, and shapes of its own."""
    rng = np.random.default_rng(number)
    image = Image.new("RGB", (90, 120), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((10, 10, 80, 110), fill=COLOURS[number % 4])
    for _ in range(4):
        x, y = rng.integers(10, 65), rng.integers(10, 95)
        pen.ellipse((x, y, x + 14, y + 14), fill=tuple(int(v) for v in rng.integers(0, 256, 3)))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def save_model(folder: Path) -> None:
    """Write a model: pixels pooled to 8 x 8 are the embedding, random planes the hash, mean colour the category."""
    import tensorflow as tf

    from transforms.tf_pixels import decode_prepared_batch

    planes = tf.constant(np.random.default_rng(0).normal(size=(192, 256)), tf.float32)

    class Tiny(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def serve_prepared(self, jpegs: tf.Tensor) -> dict[str, tf.Tensor]:
            pixels = tf.cast(decode_prepared_batch(jpegs, 32, 32), tf.float32)
            pooled = tf.reshape(tf.nn.avg_pool2d(pixels, 4, 4, "VALID"), [-1, 192])
            unit = tf.math.l2_normalize(pooled - 160.0, axis=1)
            bits = tf.reshape(tf.cast(unit @ planes > 0, tf.int32), [-1, 32, 8])
            codes = tf.reduce_sum(bits * [128, 64, 32, 16, 8, 4, 2, 1], axis=2)
            centre = tf.reduce_mean(pixels[:, 8:24, 10:22, :], axis=[1, 2])
            distance = tf.norm(centre[:, None, :] - tf.constant(COLOURS, tf.float32), axis=2)
            return {
                "embedding": unit,
                "hash": tf.cast(codes, tf.uint8),
                "category_probabilities_0": tf.ones_like(distance[:, :1]),
                "leaf_probabilities": tf.nn.softmax(-distance / 20.0),
            }

    model = Tiny()
    tf.saved_model.save(model, str(folder), signatures={"serve_prepared": model.serve_prepared})


def make_config(root: Path, **sections: object) -> Config:
    columns = {"item_id": "id", "photos": "photo", "category": "path"}
    catalogue = {"snapshot": "feed.csv", "columns": columns, "photo_root": "photos"}
    base = {"store": {"uri": str(root / "store")}, "catalogue": catalogue, "recipe": "ebay", "folder": str(root)}
    return Config.model_validate({**base, **sections})


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = tmp_path_factory.mktemp("shop")
    item_ids = [f"item{n:02}" for n in range(39)] + [EVIL]
    photos = []
    for number in range(40):
        path = root / "photos" / LEAVES[number % 39 % 4].split()[0].strip("<>") / f"{number:02}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw(number % 39))  # the last item shows the first one's photo
        photos.append(path)
    config = make_config(root)
    store = open_store(config.store.uri)
    initialise(store, 4)
    save_model(root / "model")
    store.stage_out(root / "model", "models/m1/saved_model")
    facts = model_json(
        "m1",
        prep_id=SPEC.prep_id,
        levels=[[3]],
        leaf={"slots": list(SLOTS), "trained": list(SLOTS), "category_mass": 0.95},
        dim=192,
        bits=256,
    )
    store.create_json("models/m1/model.json", facts)
    built = Shop(config, store, root, item_ids, photos)
    add_index(built)
    add_photos(built)
    release = {"release_id": "r1", "model": {"model_id": "m1"}, "index": {"index_id": "i1"}, "catalogue_id": "c1"}
    store.create_json("releases/r1/manifest.json", release)
    Log(store, "live").append(1, {"release_id": "r1", "action": "promote", "run_id": "run1"})
    return built


def add_index(shop: Shop) -> None:
    from pipelines.models.facts import read_facts
    from pipelines.models.query_model import opened
    from pipelines.neighbours.folder import IndexInput, build_index
    from pipelines.neighbours.settings import IndexConfig

    originals = [path.read_bytes() for path in shop.photos]
    digests = [hashlib.sha256(data).digest() for data in originals]
    unique = list(dict.fromkeys(digests))
    jpegs = [prepare(originals[digests.index(digest)], SPEC).jpeg for digest in unique]
    with opened(shop.store, read_facts(shop.store, "m1")) as model:
        outputs = model(jpegs)
    items = pa.table(
        {
            "digest": pa.array(digests, pa.binary(32)),
            "item_id": shop.item_ids,
            "group_id": pa.nulls(40, pa.string()),
            "category": [["shop", LEAVES[n % 39 % 4]] for n in range(40)],
            "slot": pa.array([SLOTS[n % 39 % 4] for n in range(40)], pa.int64()),
            "image_uri": [path.relative_to(shop.root / "photos").as_posix() for path in shop.photos],
        }
    )
    rows = np.frombuffer(b"".join(unique), np.uint8).reshape(-1, 32)
    data = IndexInput("m1", "m1", rows, outputs.embeddings.astype(np.float16), items, outputs.hashes)
    build_index(shop.root / "index", data, IndexConfig(kinds=("binary",)))
    shop.store.stage_out(shop.root / "index", "indexes/i1")


def add_photos(shop: Shop) -> None:
    """Write the catalogue's table of photos; every item has a street photo, which is gone, before its main one."""
    for bucket in range(4):
        rows = []
        for item_id, path in zip(shop.item_ids, shop.photos, strict=True):
            if bucket_of(item_id, 4) == bucket:
                uri = path.relative_to(shop.root / "photos").as_posix()
                common = {"item_id": item_id, "split": None, "box": None}
                rows.append({**common, "image_uri": "gone.jpg", "role": "street", "position": 0})
                rows.append({**common, "image_uri": uri, "role": "main", "position": 1})
        write_bucket(shop.store, "catalogue/c1/photos", bucket, pa.Table.from_pylist(rows, PHOTOS))
