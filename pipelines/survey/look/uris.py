"""The photos that a catalogue names: how many, of what hosts, on how many items each, and a sample to fetch.

Memory: 8 bytes a photo, of each host and top category as many photos as the sample has, and one bucket.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import pyarrow as pa

from pipelines.shop_files.fetch import Fetcher
from pipelines.survey.look.findings import ODD, STOPS, TOLD, Finding
from pipelines.survey.look.items import ROWS_AT_ONCE
from pipelines.survey.look.reading import Reading
from pipelines.survey.look.tally import Tally, hash_of
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS, PHOTOS
from trainer.files import in_bucket

MANY_ITEMS: Final = 10
"""A photo that more items have may show none of them."""
FILES: Final = "files"
_SHOWN: Final = 3
_MOST: Final = 0.5
"""Of the photos that the feed names: so many are no charts and logos."""
Stratum = tuple[str, str]
"""A host and a top category."""


@dataclass(frozen=True, order=True)
class Photo:
    """A photo of the sample, and an item that it is of."""

    uri: str
    item_id: str
    host: str


@dataclass
class Uris:
    """What photos are named, by `hosts`; `kept` are those of each stratum whose hashes are smallest.

    `total` and `strata` count a photo as often as items name it.
    """

    most: int
    total: int = 0
    hosts: dict[str, Tally] = field(default_factory=dict)
    strata: Counter[Stratum] = field(default_factory=Counter)
    kept: dict[Stratum, list[tuple[int, Photo]]] = field(default_factory=dict)

    @classmethod
    def of(cls, reading: Reading, fetcher: Fetcher, most: int) -> Uris:
        """Look at all photos, bucket by bucket."""
        found = cls(most)
        for bucket in range(reading.buckets):
            items = read_bucket(reading.store, f"{reading.folder}/items", bucket, ITEMS, ["item_id", "category"])
            tops = {item: path[0] for item, path in zip(*(column.to_pylist() for column in items.columns), strict=True)}
            table = read_bucket(reading.store, f"{reading.folder}/photos", bucket, PHOTOS, ["item_id", "image_uri"])
            for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
                photos = [Photo(*row, host_of(row[0], fetcher)) for row in zip(*_texts(batch), strict=True)]
                found._count(photos)
                for photo in photos:
                    found._take(photo, tops.get(photo.item_id, ""))
        return found

    @property
    def distinct(self) -> int:
        """How many photos there are, each counted once."""
        return sum(tally.distinct() for tally in self.hosts.values())

    def _count(self, photos: Sequence[Photo]) -> None:
        of_host: dict[str, list[str]] = {}
        for photo in photos:
            of_host.setdefault(photo.host, []).append(photo.uri)
        for host, uris in of_host.items():
            self.hosts.setdefault(host, Tally()).add(uris)

    def _take(self, photo: Photo, top: str) -> None:
        self.total += 1
        stratum = (photo.host, top)
        self.strata[stratum] += 1
        heap, entry = self.kept.setdefault(stratum, []), (-hash_of(photo.uri), photo)
        if len(heap) < self.most:
            heapq.heappush(heap, entry)
        elif heap and entry[0] > heap[0][0]:
            heapq.heapreplace(heap, entry)

    def sample(self) -> list[Photo]:
        """Return a sample in which each host and top category has its share, at least one; the same for equal feeds."""
        chosen: dict[str, tuple[float, Photo]] = {}
        for stratum, heap in self.kept.items():
            distinct = {photo.uri: (-negative, photo) for negative, photo in heap}
            ordered = sorted(distinct.values(), key=lambda one: (one[0], one[1].uri))
            step = self.strata[stratum] / self.total
            for place, (_, photo) in enumerate(ordered):
                chosen.setdefault(photo.uri, (place / step, photo))
        ranked = sorted(chosen.values(), key=lambda one: (one[0], hash_of(one[1].uri)))
        return [photo for _, photo in ranked[: self.most]]

    def findings(self, reading: Reading, limit: int | None) -> Iterator[Finding]:
        """Yield what there is to say of them before any is fetched; `limit` is preprocess.max_items_a_photo."""
        hosts = Counter({host: tally.distinct() for host, tally in self.hosts.items()})
        told = tuple(f"{host} ({count:,})" for host, count in hosts.most_common(_SHOWN))
        yield Finding("photos", TOLD, "photos, by host", hosts.total(), told)
        often = self._of_more(MANY_ITEMS)
        if often and limit is None:
            fix = f"if they show no product (charts, logos), set preprocess.max_items_a_photo = {MANY_ITEMS}"
            if sum(often.values()) > _MOST * self.total:
                fix = (
                    "that is most of what the feed names: if rows are sizes or colours of a product, set "
                    "catalogue.columns.group_id to the column that these share, so that results show it once"
                )
            what = f"photos that more than {MANY_ITEMS} items have"
            yield Finding("photos_of_many_items", ODD, what, len(often), _named(reading, often), fix)
        yield from self._over(reading, limit)

    def _over(self, reading: Reading, limit: int | None) -> Iterator[Finding]:
        """Yield how many photos a limit of the config will reject."""
        over = {} if limit is None else self._of_more(limit)
        if over:
            lost = sum(over.values())
            fix = "raise it, or take it out, if these show products of which each size or colour is a row"
            what = f"photos that preprocess.max_items_a_photo = {limit} rejects: {lost:,} of {self.total:,}, in all of"
            weight = STOPS if lost == self.total else ODD if lost > _MOST * self.total else TOLD
            yield Finding("photos_over_limit", weight, what, len(over), _named(reading, over), fix)

    def _of_more(self, items: int) -> dict[int, int]:
        return {key: count for tally in self.hosts.values() for key, count in tally.more_than(items).items()}


def _texts(batch: pa.RecordBatch) -> tuple[list[str], list[str]]:
    return batch["image_uri"].to_pylist(), batch["item_id"].to_pylist()


def host_of(uri: str, fetcher: Fetcher) -> str:
    """Return the host of an address, the bucket of an object, FILES for a path."""
    address = fetcher.address(uri)
    if address is not None:
        return urlsplit(address).netloc.rpartition("@")[2].lower()
    place = uri if in_bucket(uri) else fetcher.root
    return "gs://" + place.removeprefix("gs://").partition("/")[0] if in_bucket(place) else FILES


def _named(reading: Reading, often: dict[int, int]) -> tuple[str, ...]:
    shown = dict(sorted(often.items(), key=lambda one: (-one[1], one[0]))[:_SHOWN])
    names: dict[int, str] = {}
    for bucket in range(reading.buckets):
        table = read_bucket(reading.store, f"{reading.folder}/photos", bucket, PHOTOS, ["image_uri"])
        for uri in table["image_uri"].to_pylist():
            key = hash_of(uri)
            if key in shown:
                names.setdefault(key, uri)
    return tuple(f"{names[key]} ({count:,} items)" for key, count in shown.items())
