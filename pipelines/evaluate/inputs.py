"""What a run is measured with: its queries, what the model says of them, and what exact search finds.

Owns the order of the Beam pipelines before the index is asked.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.errors import StageError
from pipelines.evaluate.gallery import key_of
from pipelines.evaluate.gather import ANY, HELD_OUT, fetch_queries
from pipelines.evaluate.measuring import Asked, Truth
from pipelines.evaluate.quality import Metrics
from pipelines.evaluate.queries import Query, as_queries
from pipelines.evaluate.scan import Scan, own_keys
from pipelines.evaluate.scanning import resolve_numbers, search_exactly
from pipelines.evaluate.sources import Sources
from pipelines.evaluate.vectors import as_vectors
from pipelines.models import query_model as served
from pipelines.models.facts import ModelFacts
from pipelines.neighbours.recipes import plan_of
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import CatalogueOutputs, EmbedOutputs, PreprocessOutputs
from pipelines.tables.arrow import index_of


def sources_of(context: RunContext) -> Sources:
    """Return where the run's stages have left what is measured."""
    config, embed = context.config, context.outputs(EmbedOutputs)
    return Sources(
        store=context.store,
        prefix=f"{context.prefix('evaluate')}/work",
        buckets=context.buckets,
        items=f"catalogue/{context.outputs(CatalogueOutputs).catalogue_id}/items",
        photos=context.outputs(PreprocessOutputs).photos,
        vectors=embed.vectors,
        space_id=embed.space_id,
        roles=tuple(config.evaluate.roles),
        gallery_roles=tuple(config.index.roles),
        count=config.evaluate.queries,
        unit="group" if plan_of(config).fold == "group" else "item",
    )


def sampled_queries(sources: Sources) -> pa.Table:
    """Return the query candidates chosen: photos of the test split, or of any split when there is none of them.

    Raises StageError when no photo has the roles asked for.
    """
    for tag in (HELD_OUT, ANY):
        table = sources.table(tag)
        if table.num_rows:
            return table
    raise StageError(
        f"there is no prepared photo of evaluate.roles = {list(sources.roles)} to search with; "
        "name a role of the catalogue, and look at the preprocess ledger"
    )


def asked_of(context: RunContext, sources: Sources, sampled: pa.Table, model: ModelFacts) -> Asked:
    """Return the queries that have a vector. Raises StageError when none has."""
    fetch_queries(context.jobs("evaluate"), sources, sampled["digest"].to_pylist())
    stored = sources.table("query_vectors")
    where = index_of(sampled["digest"], stored["digest"])
    kept = sampled.filter(pa.array(where >= 0))
    if not kept.num_rows:
        raise StageError(f"none of {sampled.num_rows} queries has a vector; look at the embed stage's ledger")
    queries, vectors = as_queries(kept), as_vectors(stored.take(pa.array(where[where >= 0])))
    prep_id = context.outputs(PreprocessOutputs).prep_id
    outputs = served.serve(context.store, model.model_id, prep_id, [query.image for query in queries])
    return Asked(queries, vectors, outputs, _own_items(sources, queries))


def exact_truth(context: RunContext, sources: Sources, asked: Asked) -> Truth:
    """Search the whole gallery exactly, and name what was found."""
    photos = np.array([0 if query.cross else key_of(query.digest) for query in asked.queries], np.uint64)
    whole = np.array([query.cross for query in asked.queries])
    scan = Scan(asked.outputs.embeddings, photos, tuple(own_keys(items) for items in asked.own), whole)
    tops = search_exactly(context.jobs("evaluate"), sources, scan)
    near, kept = tops.photos.numbers[:, :10], tops.kept.numbers[:, :100]
    named = resolve_numbers(sources, {int(n) for n in np.concatenate([near.ravel(), kept.ravel()]) if n >= 0})
    digests = [[named[int(n)][0] for n in row if n >= 0] for row in near]
    return Truth(tops, digests, [[named[int(n)][1] for n in row if n >= 0] for row in kept])


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
