"""The same queries answered by colour histograms: a release that is hardly better is not blessed, the first one too.

Asked of a part of the gallery: a few items of some leaves, so that it is bounded, and alike for both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.evaluate.answers import ids_of, own_items
from pipelines.evaluate.asked import Asked
from pipelines.evaluate.baselines import FewOfLeaf
from pipelines.evaluate.engine import Engine
from pipelines.evaluate.labels import Label, drawn_by
from pipelines.evaluate.quality import precisions
from pipelines.evaluate.scores import Scores
from pipelines.evaluate.sources import Sources, write_table
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.store import Place, UnitTable
from pipelines.tables.arrays import Floats
from pipelines.tables.buckets import bucket_of
from transforms.histogram import DIM, colour_histogram

LEAVES, QUERIES = 200, 500
GALLERY = "some"
PLACES = "histogram_places"
HISTOGRAMS = pa.schema([("unit", pa.string()), ("row", pa.int32()), ("histogram", pa.list_(pa.float32(), DIM))])

GAIN = "histogram.gain"


@dataclass(frozen=True)
class Contest:
    """Which queries are asked, by place, how many right results each may have in ten, and the items to be found."""

    places: list[int]
    most: list[int]
    items: Mapping[str, Label]

    @classmethod
    def of(cls, asked: Asked, few: FewOfLeaf) -> Contest:
        """Choose the queries that have results of their leaf to find; leaves are drawn by hashes of their names."""
        leaves = sorted(few, key=drawn_by)[:LEAVES]
        there = {leaf: few[leaf].keys() for leaf in leaves}
        right = ((n, len(there.get(asked.queries[n].leaf, set()) - set(asked.own[n]))) for n in asked.judged)
        chosen = list(islice(((n, min(10, count)) for n, count in right if count), QUERIES))
        items = {item_id: label for leaf in leaves for item_id, label in few[leaf].items()}
        return cls([n for n, _ in chosen], [most for _, most in chosen], items)


def add_contest(
    scores: Scores, jobs: Jobs, sources: Sources, prep_id: str, engine: Engine, asked: Asked, contest: Contest
) -> None:
    """Add what colour histograms find, what the release finds in the same part of the gallery, and the gain.

    That is the share of the right results that ten could hold: where a leaf has one item, ten hold one.
    """
    if not contest.places:
        return
    queries = [asked.queries[n] for n in contest.places]
    ids, shown = list(contest.items), [label.image for label in contest.items.values()]
    found = histograms(jobs, sources, prep_id, [*[query.image for query in queries], *shown])
    gallery = np.stack([found[place] for place in shown])
    own = [asked.own[n] for n in contest.places]
    by_colour = nearest(np.stack([found[query.image] for query in queries]), gallery, ids, own)
    engine.add_gallery(GALLERY, pa.array(ids))
    outputs = asked.outputs.take(np.array(contest.places, np.int64))
    unwanted = own_items(asked)
    by_release = ids_of(engine.results(outputs, 10, [unwanted[n] for n in contest.places], GALLERY))
    theirs, ours = (
        shares(precisions(queries, lists, contest.items), contest.most) for lists in (by_colour, by_release)
    )
    scores.add("histogram.found_at_10", theirs, contest.places)
    scores.add("histogram.release_found_at_10", ours, contest.places)
    scores.add(GAIN, [a - b for a, b in zip(ours, theirs, strict=True)], contest.places)


def shares(precisions_at_10: Sequence[float], most: Sequence[int]) -> list[float]:
    """Return what was found of the right results that ten could hold."""
    return [10 * precision / right for precision, right in zip(precisions_at_10, most, strict=True)]


def nearest(queries: Floats, gallery: Floats, ids: Sequence[str], own: Sequence[Collection[str]]) -> list[list[str]]:
    """Return the ids of the best 10 of a gallery `[n, dim]` for each query by inner product, without its own."""
    order = np.argsort(-(queries @ gallery.T), axis=1, kind="stable")
    return [list(islice((ids[n] for n in row if ids[n] not in mine), 10)) for row, mine in zip(order, own, strict=True)]


def histograms(jobs: Jobs, sources: Sources, prep_id: str, places: Sequence[Place]) -> dict[Place, Floats]:
    """Return the histograms of prepared photos; each unit is read once, by one worker."""
    units, rows = zip(*sorted(set(places)), strict=True)
    sources.put_table(PLACES, pa.table({"unit": pa.array(units), "row": pa.array(rows, pa.int32())}))

    def build(pipeline: beam.Pipeline) -> None:
        found = (
            pipeline
            | "Buckets" >> CreateEach(range(sources.buckets))
            | "Histograms" >> beam.FlatMap(partial(_of_bucket, sources, prep_id))
        )
        write_table(sources, "histograms", HISTOGRAMS, found)

    jobs.run("histograms", build)
    table = sources.table("histograms")
    values = np.asarray(table["histogram"].combine_chunks().flatten(), np.float32).reshape(-1, DIM)
    return dict(zip(zip(table["unit"].to_pylist(), table["row"].to_pylist(), strict=True), values, strict=True))


def _of_bucket(sources: Sources, prep_id: str, bucket: int) -> Iterator[pa.Table]:
    table = sources.table(PLACES)
    for unit in pc.unique(table["unit"]).to_pylist():
        if bucket_of(unit, sources.buckets) == bucket:
            rows = table.filter(pc.equal(table["unit"], unit))["row"].to_pylist()
            images = UnitTable(sources.store, f"images/{prep_id}").read_rows(unit, rows, ["image"])["image"].to_pylist()
            values = [colour_histogram(image) for image in images]
            yield pa.table(
                {"unit": [unit] * len(rows), "row": rows, "histogram": [v.tolist() for v in values]}, HISTOGRAMS
            )
