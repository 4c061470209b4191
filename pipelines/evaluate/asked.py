"""The queries as they are asked: with their vectors, what the model says of them, and what they may not find."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.curated.settled import settled
from pipelines.errors import StageError
from pipelines.evaluate.metrics import Metrics
from pipelines.evaluate.queries import Query, as_queries, drawn
from pipelines.evaluate.sample import ANY, HELD_OUT, LEAVES
from pipelines.evaluate.sources import Sources, write_table
from pipelines.evaluate.vectors import OUTPUTS, Vectors, as_vectors, read_outputs
from pipelines.jobs.jobs import Jobs
from pipelines.jobs.transforms import CreateEach
from pipelines.models import query_model as served
from pipelines.models.facts import ModelFacts
from pipelines.models.outputs import QueryOutputs
from pipelines.tables.arrow import index_of

OWNERS = pa.schema([("digest", pa.binary(32)), ("item_id", pa.string())])
ITEM_IDS = pa.schema([("item_id", pa.string())])
WANTED = "wanted_digests"


@dataclass(frozen=True)
class Asked:
    """The queries with what a model says of them; `own` are the items that a query may not find."""

    queries: list[Query]
    vectors: Vectors
    outputs: QueryOutputs
    own: list[list[str]]

    @property
    def judged(self) -> list[int]:
        """Return which queries tell retrieval quality: held out and with a category."""
        return [n for n, query in enumerate(self.queries) if query.held_out and query.path]


def sampled_queries(sources: Sources) -> pa.Table:
    """Return the queries drawn: photos of the test split, or of any split when there is none of them.

    Raises StageError when no photo has the roles asked for.
    """
    for tag in (HELD_OUT, ANY):
        table = sources.table(tag)
        if table.num_rows:
            return drawn(table, sources.leaf_counts(LEAVES, tag), sources.count)
    raise StageError(
        f"there is no prepared photo of evaluate.roles = {list(sources.roles)} to search with; "
        "name a role of the catalogue, and look at the preprocess ledger"
    )


def asked_of(jobs: Jobs, sources: Sources, sampled: pa.Table, model: ModelFacts) -> Asked:
    """Return the queries that have a vector. Raises StageError when none has."""
    fetch(jobs, sources, sampled["digest"])
    stored = sources.table("query_vectors")
    where = index_of(sampled["digest"], stored["digest"])
    kept = sampled.filter(pa.array(where >= 0))
    if not kept.num_rows:
        raise StageError(f"none of {sampled.num_rows} queries has a vector; look at the embed stage's ledger")
    queries, vectors = (
        as_queries(kept, settled(sources.store, sources.curated).apart),
        as_vectors(stored.take(pa.array(where[where >= 0]))),
    )
    outputs = served.serve(sources.store, model, model.prep_id, [query.image for query in queries])
    return Asked(queries, vectors, outputs, _own_items(sources, queries))


def fetch(jobs: Jobs, sources: Sources, digests: pa.ChunkedArray) -> None:
    """Write the queries' vectors, which items of the gallery show the same photos, and which are of the test split."""
    sources.put_table(WANTED, pa.table([digests], names=["digest"]))

    def build(pipeline: beam.Pipeline) -> None:
        buckets = pipeline | "Buckets" >> CreateEach(range(sources.buckets))
        units = buckets | "Locate" >> beam.FlatMap(partial(_locate, sources)) | "ByUnit" >> beam.GroupByKey()
        vectors = units | "ReadVectors" >> beam.MapTuple(partial(_fetch, sources))
        write_table(sources, "query_vectors", OUTPUTS, vectors)
        write_table(sources, "owners", OWNERS, buckets | "Owners" >> beam.Map(partial(_owners, sources)))
        write_table(sources, "test_items", ITEM_IDS, buckets | "TestItems" >> beam.Map(partial(_test_items, sources)))

    jobs.run("queries", build)


def count(sources: Sources, asked: Asked, model: ModelFacts) -> Metrics:
    """Return how much was measured, and how far stored vectors are from served ones."""
    metrics = {
        "queries.count": float(len(asked.queries)),
        "queries.held_out": float(sum(query.held_out for query in asked.queries)),
        "queries.cross": float(sum(query.cross for query in asked.queries)),
        "gallery.photos": float(sources.counts("gallery_size").get("photos", 0)),
        "gallery.results": float(sum(n for name, n in sources.counts("relevant").items() if name.startswith("all:"))),
    }
    own = [n for n, model_id in enumerate(asked.vectors.model_ids) if model_id == model.model_id]
    if own:  # an older model of the same space has made the others
        difference = served.largest_difference(asked.vectors.embeddings[own], asked.outputs.embeddings[own])
        metrics["parity.embedding"] = difference
    return metrics


def _own_items(sources: Sources, queries: list[Query]) -> list[list[str]]:
    owners: dict[bytes, set[str]] = {}
    for row in sources.table("owners").to_pylist():
        owners.setdefault(row["digest"], set()).add(row["item_id"])
    return [[] if q.cross else sorted(owners.get(q.digest, set()) | {q.item_id}) for q in queries]


def _locate(sources: Sources, bucket: int) -> Iterator[tuple[tuple[str, str], int]]:
    vectors = sources.stored_vectors(bucket)
    asked = pc.is_in(vectors["digest"], value_set=_wanted(sources))
    for row in vectors.filter(pc.and_(pc.equal(vectors["code"], ""), asked)).to_pylist():
        yield (row["model_id"], row["unit_id"]), row["row"]


def _fetch(sources: Sources, unit: tuple[str, str], rows: Iterable[int]) -> pa.Table:
    return read_outputs(sources.store, sources.space_id, *unit, sorted(rows))


def _owners(sources: Sources, bucket: int) -> pa.Table:
    table = sources.gallery(bucket).select(OWNERS.names)
    return table.filter(pc.is_in(table["digest"], value_set=_wanted(sources)))


def _test_items(sources: Sources, bucket: int) -> pa.Table:
    table = sources.gallery(bucket)
    return table.filter(table["test"]).select(ITEM_IDS.names).group_by("item_id").aggregate([])


def _wanted(sources: Sources) -> pa.Array:
    return sources.table(WANTED)["digest"].combine_chunks()
