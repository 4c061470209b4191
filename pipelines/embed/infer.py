"""Units of photos -> units of vectors: read, decode, infer, commit, each ahead of the next; pure of Beam.

A bad photo is a row with a code, not an error. A model or a device that fails on everything is an error, not rows: it
is tried on a blank photo before any photo is blamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

import numpy as np
import pyarrow as pa

from pipelines.embed.model import InferenceError
from pipelines.embed.outputs import Outputs, Pixels, join_outputs, unit_tables
from pipelines.embed.prefetch import prefetch
from pipelines.errors import StageError
from pipelines.jobs.units import Unit
from pipelines.store import UnitTable

BATCHES_AHEAD = 2
VERIFY_SHARE = 0.25
"""An image unit of which at least this share is read is compared with its checksum first."""


class Model(Protocol):
    """What can be embedded with."""

    def decode(self, jpegs: Sequence[bytes]) -> tuple[Pixels, list[str]]:
        """Return pixels uint8 `[n, height, width, 3]` and a code a photo."""

    def __call__(self, pixels: Pixels) -> Outputs:
        """Return the outputs of a batch. Raises InferenceError."""


@dataclass(frozen=True)
class Batch:
    """Decoded photos of one unit; `last` tells that the unit ends here."""

    unit: Unit
    digests: pa.Array
    pixels: Pixels
    codes: list[str]
    last: bool


@dataclass
class _Done:
    """What is done of one unit."""

    digests: list[pa.Array] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    outputs: list[Outputs] = field(default_factory=list)


@dataclass(frozen=True)
class UnitEmbedder:
    """Embeds units of work, rows (digest, image_unit, image_row), with photos from `images` into `vectors`."""

    images: UnitTable
    vectors: UnitTable
    model: Model
    batch: int

    def __call__(self, work: Iterable[tuple[Unit, pa.Table]]) -> Iterator[str]:
        """Commit each unit as it is done and yield its id.

        Raises StoreError for a damaged image unit and StageError for a model that cannot be run; the units before are
        committed.
        """
        done = _Done()
        pending: Future[str] | None = None
        with ThreadPoolExecutor(1, "commit") as writer:
            for batch in prefetch(self._batches(work), BATCHES_AHEAD):
                outputs, codes = infer(self.model, batch.pixels, batch.codes)
                done.digests.append(batch.digests)
                done.codes += codes
                done.outputs.append(outputs)
                if batch.last:
                    if pending is not None:
                        yield pending.result()
                    pending, done = writer.submit(self._commit, batch.unit, done), _Done()
            if pending is not None:
                yield pending.result()

    def _batches(self, work: Iterable[tuple[Unit, pa.Table]]) -> Iterator[Batch]:
        for unit, rows in work:
            start = 0
            for photos in self._full(self._photos(rows)):
                pixels, codes = self.model.decode(photos["image"].to_pylist())
                if "bad_image" in codes:
                    self._check(rows["image_unit"].slice(start, len(codes)), codes)
                start += len(codes)
                yield Batch(unit, photos["digest"].combine_chunks(), pixels, codes, start == rows.num_rows)

    def _full(self, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Cut tables into batches; all but the last are full."""
        rest: pa.Table | None = None
        for table in tables:
            rest = table if rest is None else pa.concat_tables([rest, table])
            while rest.num_rows >= self.batch:
                yield rest.slice(0, self.batch)
                rest = rest.slice(self.batch)
        if rest is not None and rest.num_rows:
            yield rest

    def _photos(self, rows: pa.Table) -> Iterator[pa.Table]:
        """Yield the photos (digest, image) of rows sorted by image unit, one table an image unit."""
        units = np.asarray(rows["image_unit"].to_pylist())
        starts = [0, *(np.flatnonzero(units[1:] != units[:-1]) + 1), len(units)]
        for start, stop in pairwise(starts):
            part = rows.slice(start, stop - start)
            unit_id = str(units[start])
            if part.num_rows >= VERIFY_SHARE * self.images.read_keys(unit_id).num_rows:
                self.images.verify(unit_id)
            photos = self.images.read_rows(unit_id, part["image_row"].to_pylist(), ["digest", "image"])
            self._check_digests(unit_id, part, photos)
            yield photos

    def _check_digests(self, unit_id: str, wanted: pa.Table, photos: pa.Table) -> None:
        if not photos["digest"].combine_chunks().equals(wanted["digest"].combine_chunks()):
            self.images.verify(unit_id)
            raise StageError(f"image unit {unit_id} holds other photos than were planned; start a new run")

    def _check(self, image_units: pa.ChunkedArray, codes: list[str]) -> None:
        """Tell bad photos from damaged storage: the latter is an error."""
        units = image_units.to_pylist()
        for unit_id in sorted({unit for unit, code in zip(units, codes, strict=True) if code}):
            self.images.verify(unit_id)

    def _commit(self, unit: Unit, done: _Done) -> str:
        digests = pa.concat_arrays(done.digests)
        self.vectors.commit(unit.unit_id, *unit_tables(digests, done.codes, join_outputs(done.outputs)))
        return unit.unit_id


def infer(model: Model, pixels: Pixels, codes: Sequence[str]) -> tuple[Outputs, list[str]]:
    """Return the outputs of the good photos, in order, and a code a photo; `codes` tells which are bad already."""
    codes = list(codes)
    good = np.flatnonzero([code == "" for code in codes])
    if not len(good):
        return _check_model(model, pixels, "cannot be run").take(good), codes
    outputs, failed = _infer(model, pixels if len(good) == len(codes) else pixels[good])
    for row in np.flatnonzero(failed):
        codes[good[row]] = "inference_failed"
    finite = outputs.finite()
    if not finite.all():
        _check_model(model, pixels[:1], "gives no finite embedding")
        for row in good[~failed][~finite]:
            codes[row] = "nonfinite"
        outputs = outputs.take(finite)
    return outputs, codes


def _infer(model: Model, pixels: Pixels) -> tuple[Outputs, np.ndarray]:
    """Return the outputs of the photos that the model takes, and which it does not; a failing batch is split."""
    try:
        return model(pixels), np.zeros(len(pixels), bool)
    except InferenceError as error:
        blank = _check_model(model, pixels[:1], f"fails ({error})")
        if len(pixels) == 1:
            return blank.take(np.zeros(0, int)), np.ones(1, bool)
    middle = len(pixels) // 2
    (first, first_failed), (second, second_failed) = _infer(model, pixels[:middle]), _infer(model, pixels[middle:])
    return join_outputs([first, second]), np.concatenate([first_failed, second_failed])


def _check_model(model: Model, like: Pixels, what: str) -> Outputs:
    """Return the outputs of a blank photo. Raises StageError when the model cannot even do that."""
    try:
        outputs = model(np.full((1, *like.shape[1:]), 255, np.uint8))
    except InferenceError as error:
        raise StageError(f"the model {what}, on a blank photo too ({error}); check the device and the model") from error
    if not outputs.finite().all():
        raise StageError(f"the model {what}, on a blank photo too; train it again")
    return outputs
