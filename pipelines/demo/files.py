"""The photo files of items, made from (seed, item) alone, whatever the process. Owns names and bytes of photos."""

import io
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.demo.encode import Encoding, encode_jpeg
from pipelines.demo.fates import Fate
from pipelines.demo.honest import ODD_KINDS
from pipelines.demo.items import Item, stream
from pipelines.demo.poison import BAD_FILES, BAD_PLACES
from pipelines.demo.street import street_photo
from pipelines.demo.views import Box, product_photo


@dataclass(frozen=True, slots=True)
class Studio:
    """How all photos of a catalogue are made: the seed, (width, height) in pixels, and the encoding."""

    folder: Path
    seed: int
    size: tuple[int, int]
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class Job:
    """The photos of one item: `source` is what they show; with `beside` there is a street photo too."""

    item: Item
    source: Item
    fate: Fate | None
    beside: Item | None


@dataclass(frozen=True, slots=True)
class Shot:
    """The files of one item, relative to the catalogue's folder, and the box of the product in its street photo."""

    index: int
    photos: tuple[str, ...]
    street: str = ""
    box: Box = (0, 0, 0, 0)


def shoot_all(studio: Studio, jobs: Sequence[Job], workers: int) -> Iterable[Shot]:
    """Write the photos of all jobs and yield what was written, in order; equal files for any number of workers."""
    if workers <= 1:
        for job in jobs:
            yield shoot(studio, job)
        return
    chunks = [jobs[start : start + 64] for start in range(0, len(jobs), 64)]
    # Forked children of a process with threads may hang; spawned ones only need to import numpy and Pillow.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for shots in pool.map(_shoot_chunk, [studio] * len(chunks), chunks):
            yield from shots


def _shoot_chunk(studio: Studio, jobs: Sequence[Job]) -> list[Shot]:
    return [shoot(studio, job) for job in jobs]


def shoot(studio: Studio, job: Job) -> Shot:
    """Write the photos of one item."""
    names = []
    spoilt = job.item.photos - 1  # the last photo is the one that is spoilt or odd
    for number in range(job.item.photos):
        special = job.fate if job.fate and number == spoilt else None
        names.append(_write_photo(studio, job, number, special))
    if job.beside is None:
        return Shot(job.item.index, tuple(names))
    name = f"street/{_shelf(job.item)}/{job.item.sku}.jpg"
    rng = stream(studio.seed, 5, job.item.index)
    photo, box = street_photo(job.source.product, studio.size, rng, job.beside.product if rng.random() < 0.3 else None)
    worn = replace(studio.encoding, quality=int(rng.integers(45, 80)))
    _write(studio.folder / name, encode_jpeg(photo, worn, rng))
    return Shot(job.item.index, tuple(names), name, box)


def _shelf(item: Item) -> str:
    return f"{item.index // 1000:03d}"


def _write_photo(studio: Studio, job: Job, number: int, special: Fate | None) -> str:
    """Write one product photo as its item's fate has it; return its name."""
    stem = f"photos/{_shelf(job.item)}/{job.item.sku}_{number + 1}"
    rng = stream(studio.seed, 6, job.item.index, number)
    if special and special.kind in BAD_PLACES:
        path = studio.folder / f"{stem}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        BAD_PLACES[special.kind].put(path)
        return f"{stem}.jpg"
    if special and special.kind in ODD_KINDS:
        image = product_photo(job.item.product, number, studio.size, rng, white=True)
        data, ending = ODD_KINDS[special.kind](image)
    elif special and special.kind in BAD_FILES:
        bad = BAD_FILES[special.kind]
        data, ending = bad.spoil(good_photo(studio, job.source, number), rng), bad.ending
    else:
        data, ending = good_photo(studio, job.source, number), "jpg"
        if job.fate and job.fate.trouble == "near_copy":
            data = nearly(data, rng)
    _write(studio.folder / f"{stem}.{ending}", data)
    return f"{stem}.{ending}"


def good_photo(studio: Studio, item: Item, number: int) -> bytes:
    """Return the JPEG of photo `number` of an item as it was first sold."""
    rng = stream(studio.seed, 4, item.index, number)
    return encode_jpeg(product_photo(item.product, number, studio.size, rng), studio.encoding, rng)


def nearly(data: bytes, rng: np.random.Generator) -> bytes:
    """Return the photo cut by 1 to 2 % at its sides and encoded again."""
    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
        left, top, right, bottom = (int(np.ceil(side * rng.uniform(0.005, 0.01))) for side in (width, height) * 2)
        cut = image.crop((left, top, width - right, height - bottom))
    return encode_jpeg(cut, Encoding(int(rng.integers(70, 84))), rng)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def studio_samples(items: Mapping[int, Item], studio: Studio) -> list[Image.Image]:
    """Return front photos of some items, to choose an encoding by."""
    return [product_photo(item.product, 0, studio.size, stream(studio.seed, 7, index)) for index, item in items.items()]
