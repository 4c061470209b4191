"""A store with prepared photos, the manifests of the stages before, and tiny exported models."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from pipelines.config import Config
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import PreprocessOutputs, StageOutputs, TrainOutputs
from pipelines.store import UnitTable
from pipelines.store.folder import FolderStore
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import IMAGE_DATA, IMAGE_KEYS, RESOLVED_PHOTOS
from pipelines.telemetry.progress import Progress
from tests.models.model_json import model_json

HEIGHT, WIDTH, DIM, CODE_BYTES = 16, 12, 16, 4
PREP_ID = "16x12-q95-v1"
BUCKETS = 4
LEVELS = [[0, 1], [5, 3, 4, 9]]
LEAVES = [2, 0, 1]
RED, GREEN = (255, 0, 0), (0, 255, 0)  # the tiny model fails on red photos and gives NaN on green ones


def jpeg(pixels: np.ndarray | tuple[int, int, int], size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", size, pixels) if isinstance(pixels, tuple) else Image.fromarray(pixels)
    image.save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def drawn(number: int) -> bytes:
    return jpeg(np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))


def digest_of(number: int) -> bytes:
    return number.to_bytes(32, "big")


def export_tiny(folder: Path, seed: int, height: int = HEIGHT, width: int = WIDTH) -> None:
    """A linear model with the signatures of real ones."""
    import tensorflow as tf

    from transforms.tf_pixels import decode_prepared_batch, normalise

    rng = np.random.default_rng(seed)
    flat = height * width * 3

    class Tiny(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = tf.Variable(rng.normal(size=(flat, DIM)) / np.sqrt(flat), dtype=tf.float32)
            self.planes = tf.Variable(rng.normal(size=(DIM, CODE_BYTES)), dtype=tf.float32)
            self.heads = {
                name: tf.Variable(rng.normal(size=(DIM, len(slots))), dtype=tf.float32)
                for name, slots in {
                    **{f"category_probabilities_{n}": s for n, s in enumerate(LEVELS)},
                    "leaf_probabilities": LEAVES,
                }.items()
            }

        def outputs(self, pixels: tf.Tensor) -> dict[str, tf.Tensor]:
            means = tf.reduce_mean(tf.cast(pixels, tf.float32), axis=(1, 2))
            red = (means[:, 0] > 250) & (means[:, 1] < 5) & (means[:, 2] < 5)
            green = (means[:, 1] > 250) & (means[:, 0] < 5) & (means[:, 2] < 5)
            with tf.control_dependencies([tf.debugging.assert_equal(tf.reduce_any(red), False, "a red photo")]):
                raw = tf.reshape(normalise(pixels), (-1, flat)) @ self.trunk
            embedding = tf.where(green[:, None], np.nan, tf.math.l2_normalize(raw, axis=1))
            named = {name: tf.nn.softmax(embedding @ head) for name, head in self.heads.items()}
            return {"embedding": embedding, "hash": tf.cast(embedding @ self.planes > 0, tf.uint8), **named}

        @tf.function(input_signature=[tf.TensorSpec([None, height, width, 3], tf.uint8, "pixels")], autograph=False)
        def serve_pixels(self, pixels: tf.Tensor) -> dict[str, tf.Tensor]:
            return self.outputs(pixels)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "images")], autograph=False)
        def serve_prepared(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
            return self.outputs(decode_prepared_batch(images, height, width))

    model = Tiny()
    signatures = {"serve_pixels": model.serve_pixels, "serve_prepared": model.serve_prepared}
    tf.saved_model.save(model, str(folder), signatures=signatures)


@dataclass
class World:
    """A store in which photos were prepared and a model was trained."""

    store: FolderStore
    exported: dict[str, Path]
    batch: int = 4
    photos_a_unit: int = 6
    max_rejected_share: float = 0.5
    prep_id: str = PREP_ID

    def images(self) -> UnitTable:
        return UnitTable(self.store, f"images/{PREP_ID}")

    def add_images(self, unit_id: str, photos: dict[int, bytes]) -> None:
        """Commit prepared photos, by the number that makes their digest."""
        digests = [digest_of(number) for number in photos]
        n, hashes = len(photos), [b"\0" * 8] * len(photos)
        keys = pa.table([digests, [""] * n, list(range(n)), hashes], schema=IMAGE_KEYS)
        data = pa.table([digests, list(photos.values()), [WIDTH] * n, [HEIGHT] * n, hashes], schema=IMAGE_DATA)
        self.images().commit(unit_id, keys, data, row_group_rows=4)

    def add_model(self, model_id: str, space_id: str | None = None, **changes: object) -> None:
        self.store.stage_out(self.exported[model_id], f"models/{model_id}/saved_model")
        shape = {"prep_id": PREP_ID, "height": HEIGHT, "width": WIDTH, "dim": DIM, "bits": 8 * CODE_BYTES}
        leaf = {"slots": LEAVES, "trained": LEAVES, "category_mass": 0.95}
        facts = model_json(model_id, space_id, levels=LEVELS, leaf=leaf, **shape)
        self.store.create_json(f"models/{model_id}/model.json", facts | changes)

    def follow(self, run_id: str, of_run: str) -> RunContext:
        """Start a run whose preprocess and train hand on what they did in another."""
        for stage in ("preprocess", "train"):
            manifest = self.store.read_json(f"runs/{of_run}/{stage}/manifest.json")
            self.store.create_json(f"runs/{run_id}/{stage}/manifest.json", manifest)
        return self.context(run_id)

    def start_run(self, run_id: str, photos: list[tuple[int, str, int]], model_id: str, space_id: str) -> RunContext:
        """Write what preprocess and train of a run say; photos are (number, unit, row), one an item each."""
        rows = [
            {
                "item_id": f"item-{place}",
                "image_uri": f"{place}.jpg",
                "role": "main",
                "position": 0,
                "split": "train",
                "digest": digest_of(number),
                "code": "" if unit else "truncated",
                "image_unit": unit or None,
                "image_row": row,
            }
            for place, (number, unit, row) in enumerate(photos)
        ]
        folder = f"runs/{run_id}/preprocess/photos"
        for bucket in range(BUCKETS):
            part = [row for row in rows if bucket_of(str(row["item_id"]), BUCKETS) == bucket]
            if part:
                write_bucket(self.store, folder, bucket, pa.Table.from_pylist(part, RESOLVED_PHOTOS))
        self._finish(run_id, PreprocessOutputs(PREP_ID, "c", folder, 0))
        self._finish(run_id, TrainOutputs(model_id, space_id, "trained", ""))
        return self.context(run_id)

    def context(self, run_id: str) -> RunContext:
        values = {
            "store": {"uri": self.store.uri, "buckets": BUCKETS},
            "catalogue": {"snapshot": "feed.csv", "columns": {"item_id": "id", "photos": "p", "category": "c"}},
            "embed": {
                "batch": self.batch,
                "photos_a_unit": self.photos_a_unit,
                "max_rejected_share": self.max_rejected_share,
            },
        }
        return RunContext(Config.model_validate(values), self.store, run_id, BUCKETS, Progress(quiet=True))

    def _finish(self, run_id: str, outputs: StageOutputs) -> None:
        self.store.create_json(f"runs/{run_id}/{outputs.stage}/manifest.json", {"outputs": outputs.as_json()})
