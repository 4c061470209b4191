"""How good the live release is, in plain words: what a person wants to know after a run, and what to try next.

Reads the metrics that evaluate wrote; judges nothing and measures nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Final

from pipelines.evaluate.vocabulary import queries_for
from pipelines.runs.commands import typed
from pipelines.status.status import LiveRelease
from pipelines.store import NotFoundError, Store
from pipelines.tables.taxonomy import SEPARATOR

Metrics = Mapping[str, float]
ATTAINABLE: Final = "retrieval.attainable_p_at_10"


def in_words(store: Store, live: LiveRelease, config_path: str, *, sample: bool = False) -> list[str]:
    """Return lines that say what the live release is, how good it is, and three commands to try next."""
    try:
        metrics: Metrics = store.read_json(f"releases/{live.release_id}/metrics.json")
    except NotFoundError:  # a release from elsewhere: status shows the problem
        return []
    return [
        "",
        *_what(live, metrics),
        *_how_good(metrics),
        *_notes(store, live),
        "",
        *_next(config_path, sample=sample),
    ]


def _what(live: LiveRelease, metrics: Metrics) -> Iterator[str]:
    leaves = sum(map(_counts_leaf, metrics))
    photos = metrics["gallery.photos"]
    yield f"Live now: {live.items:,} items with {photos:,.0f} different photos can be searched by photo."
    if metrics.get("queries.held_out"):
        yield (
            f"Measured with {_photos(metrics['queries.held_out'])} that the model did not learn from, "
            f"in {'1 category' if leaves == 1 else f'{leaves} categories'}:"
        )
    else:
        yield "How good its results are was not measured: no photo was held back from training."


def _notes(store: Store, live: LiveRelease) -> Iterator[str]:
    """Yield what evaluate said of the release besides its numbers."""
    notes = store.read_json(f"releases/{live.release_id}/manifest.json").get("notes", ())
    yield from (f"Note: {note}" for note in notes)


def _how_good(metrics: Metrics) -> Iterator[str]:
    level, category = _first_level(metrics)
    lines = (
        ([f"retrieval.p_at_10_l{level}"], f"of the ten most similar results, {{:.0%}} are in the photo's {category}"),
        (
            ["retrieval.p_at_10", ATTAINABLE],
            "and {:.0%} in exactly its category, of {:.0%} that could be",
        ),
        (
            ["retrieval.leaf_baseline_p_at_10"],
            "(to compare with: of ten random items of the one category that the model names for it, {:.0%}; but those "
            "would be in no order of likeness, and all wrong where that name is)",
        ),
        (["retrieval.cold_p_at_10"], "with items among them that nothing was learned from, {:.0%}"),
        (
            ["histogram.release_found_at_10", "histogram.found_at_10"],
            "among a few items of each, {:.0%}; by colours alone, {:.0%}",
        ),
        (["category.leaf_top1"], "the model names the category of {:.0%} of the photos"),
        (
            ["retrieval.same_item_hit_at_1"],
            "of other photos of an item that is in the index, {:.0%} find the item first",
        ),
        (["retrieval.same_item_hit_at_5"], "and {:.0%} find it in the first five"),
        (
            ["retrieval.cold_same_item_hit_at_5"],
            "of photos with another one of the item in the index, {:.0%} find it in the first five",
        ),
        (
            ["recall.plan_at_10", "recall.candidates_at_10"],
            "of the ten best by a comparison with every photo, {:.1%} are among the ten results; before these are "
            "re-ranked, {:.1%}",
        ),
    )
    for names, text in lines:
        if names[-1] == ATTAINABLE and metrics.get(ATTAINABLE) == 0:
            yield "  * no photo had another item of exactly its category that could be found"
        elif metrics.keys() >= set(names):
            yield f"  * {text.format(*(metrics[name] for name in names))}{_measured_on(metrics, names[0])}"
    if {"qps.plan", "qps.exact"} <= metrics.keys():
        plan, exact = metrics["qps.plan"], metrics["qps.exact"]
        yield (
            f"  * a whole search of the index (categories, re-ranking, items) is done {plan:,.0f} times a second here, "
            f"the bare comparison of a vector with every photo {exact:,.0f} times, which takes longer the more photos "
            "there are"
        )


def _first_level(metrics: Metrics) -> tuple[int, str]:
    """Return the first level that tells the measured leaf categories apart, from 1, and what it is called."""
    leaves = [name.removeprefix("leaf.").removesuffix(".queries") for name in metrics if _counts_leaf(name)]
    levels = zip(*(leaf.split(SEPARATOR) for leaf in leaves), strict=False)
    shared = [names[0] for names in takewhile(lambda names: len(set(names)) == 1, levels)]
    if not shared or len(leaves) == 1:
        return 1, "top-level category"
    level = len(shared) + 1
    return level, f"category of level {level} (all are below {SEPARATOR.join(shared)})"


def _counts_leaf(name: str) -> bool:
    return name.startswith("leaf.") and name.endswith(".queries")


def _measured_on(metrics: Metrics, name: str) -> str:
    """Return in brackets how many photos a metric was measured with, "" where these are those of the heading."""
    count = queries_for(metrics, name)
    return "" if count is None or count == metrics.get("queries.held_out") else f" ({_photos(count)})"


def _photos(count: float) -> str:
    return "1 photo" if count == 1 else f"{count:,.0f} photos"


def _next(config_path: str, *, sample: bool) -> Iterator[str]:
    words, again = (("--sample",), "the whole shop") if sample else ((), "again: only what is new costs anything")
    yield "Try next:"
    yield f"  {typed('search', config_path, *words)} PHOTO_OR_FOLDER --html results.html"
    yield f"  {typed('search', config_path, *words)} --item ITEM_ID"
    yield f"  {typed('run', config_path)}   # {again}"
