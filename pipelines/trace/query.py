"""An item in the search by one photo: the step of the plan at which it falls out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pipelines.config import Config
from pipelines.curated import read_curated
from pipelines.curated.entries import NOT_ALIKE
from pipelines.neighbours.query import standing as steps
from pipelines.neighbours.query.ranking import SIMILARITY
from pipelines.neighbours.query.standing import PhotoStanding, Standing
from pipelines.neighbours.rows import UnknownItemError
from pipelines.releases.live import live_release_id
from pipelines.search.engine import SearchEngine
from pipelines.store import Store
from pipelines.trace.facts import FOUND, QUERY, QueryTrace, Trace, Verdict

NOT_ASKED: Final = "not_asked"
"""The code of a query that would have said nothing: the item is in no index that is searched."""


def trace_query(config: Config, store: Store, trace: Trace, photo: Path, k: int, release_id: str | None) -> Trace:
    """Return a trace with where its item stands in the search by a photo; `k` results are shown.

    The model and the whole index are opened, as by a search. Of an item that searches do not find nothing is asked, and
    the query tells why. Raises StageError when nothing can be searched.
    """
    if not trace.verdict.is_found:
        detail = f"the query was not asked, because {_not_asked(store, trace, release_id)}"
        return replace(trace, query=QueryTrace(str(photo), k, NOT_ASKED, detail))
    with SearchEngine.open(config, store, release_id) as engine:
        asked, outputs = engine.ask(photo)
        if outputs is None:
            query = QueryTrace(str(photo), k, asked.code, asked.detail)
            sentence = f"{photo} cannot be asked: {asked.code}: {asked.detail}"
            return replace(trace, query=query, verdict=Verdict(QUERY, asked.code, sentence, "ask with another photo"))
        try:
            standing = engine.standing(outputs, trace.item_id, k)
        except UnknownItemError as error:  # an index of which a table is damaged
            told = QueryTrace(str(photo), k, "not_in_index", str(error))
            return replace(trace, query=told, verdict=Verdict(QUERY, told.code, str(error), "start a new run"))
        query = query_trace(str(photo), k, standing, engine.leaves)
    verdict = verdict_of(query, standing)
    if standing.step == steps.APART:
        verdict = _with_decisions(verdict, store, trace.item_id)
    return replace(trace, query=query, verdict=verdict)


def _not_asked(store: Store, trace: Trace, release_id: str | None) -> str:
    """Return why a photo is not searched with: nothing is live, or the item is not among what can be found."""
    if release_id is None and live_release_id(store) is None:
        return "no release is live yet"
    return f"searches cannot find the item: it fell out before ({trace.verdict.step}, {trace.verdict.reason})"


def _with_decisions(verdict: Verdict, store: Store, item_id: str) -> Verdict:
    """Return a verdict that names by which decisions an item is not alike others, and what takes them back."""
    of_item = {
        number: entry
        for number, entry in read_curated(store).standing.items()
        if entry.decision.action == NOT_ALIKE and item_id in entry.decision.item_ids
    }
    told = "; ".join(f"decision {number}, by {entry.by}: {entry.reason}" for number, entry in of_item.items())
    undo = " or ".join(f"`visual-search curate undo {number}`" for number in of_item)
    return replace(verdict, sentence=f"{verdict.sentence} ({told})", fix=f"{undo} takes it back") if undo else verdict


def query_trace(photo: str, k: int, standing: Standing, leaves: Mapping[int, str]) -> QueryTrace:
    """Return a search that was to find an item, in words; `leaves` are the paths of leaf categories by slot."""
    scanned = None if standing.slots is None else tuple(leaves.get(slot, str(slot)) for slot in standing.slots)
    leaf = leaves.get(_best(standing).slot, "")
    return QueryTrace(photo, k, standing=standing, leaf=leaf, categories=scanned)


def _best(standing: Standing) -> PhotoStanding:
    return max(standing.photos, key=lambda photo: photo.similarity)


def verdict_of(query: QueryTrace, found: Standing) -> Verdict:
    """Return at which step an item falls out of a search, and what would let it through."""
    return Verdict(QUERY, *SAYS[found.step](query, found))


Says = tuple[str, str, str]
"""A reason, a sentence, and what to do."""


def _apart(_: QueryTrace, found: Standing) -> Says:
    sentence = f"curators say that it is not alike what the photo is of; {_by_similarity(found)}"
    return "not_alike", sentence, "`visual-search curate list` gives its number, by which `curate undo` takes it back"


def _filter(_: QueryTrace, found: Standing) -> Says:
    return "filtered", f"it is none of what the filter leaves; {_by_similarity(found)}", "loosen the filter"


def _category(query: QueryTrace, found: Standing) -> Says:
    sentence = (
        f"its category {query.leaf!r}, to which the model gives {found.probability or 0:.4f}, is not among the "
        f"{len(query.categories or ())} that are scanned, up to {found.mass or 0:.3f} together"
    )
    fix = "raise search.categories or search.category_mass; or list the item where it belongs"
    return "category_not_scanned", f"{sentence}; {_by_similarity(found)}", fix


def _depth(_: QueryTrace, found: Standing) -> Says:
    near = min(photo.near for photo in found.photos if photo.near is not None)
    sentence = f"its code is number {near} of {found.scanned} scanned, and the nearest {found.depth} are looked at"
    return "beyond_depth", f"{sentence}; {_by_similarity(found)}", "raise search.depth"


def _approximate(_: QueryTrace, found: Standing) -> Says:
    sentence = f"the index did not offer it among {found.fetch}, though {_by_similarity(found)}"
    return "missed_by_index", sentence, 'raise search.depth, or set search.candidates = "exact"'


def _fetch(_: QueryTrace, found: Standing) -> Says:
    sentence = f"the {found.fetch} photos that are ranked are all more similar; {_by_similarity(found)}"
    return "less_similar", sentence, OTHER


def _fold(_: QueryTrace, found: Standing) -> Says:
    sentence = f"{found.before!r} of the same group stands for it, at rank {found.rank}"
    return "folded", sentence, 'set search.unit = "item" to show every variant'


def _rank(_: QueryTrace, found: Standing) -> Says:
    others = [f"{name} {value:+.4f}" for name, value in found.parts.items() if name != SIMILARITY]
    weighed = f", of which {found.parts[SIMILARITY]:.4f} is similarity, {', '.join(others)}" if others else ""
    sentence = (
        f"it is ranked {found.rank}, with a score of {found.score:.4f}{weighed}; {found.results} are shown, the last "
        f"with {found.last_score:.4f}"
    )
    lower = ", or lower the weights of [search]" if others else ""
    return "beyond_results", sentence, f"ask for more results (-k {found.rank}){lower}"


def _shown(_: QueryTrace, found: Standing) -> Says:
    return FOUND, f"found by this search, at rank {found.rank} with a score of {found.score:.4f}", ""


def _by_similarity(found: Standing) -> str:
    best = _best(found)
    return f"by similarity it is number {best.exact_rank}, with {best.similarity:.4f}"


OTHER: Final = "a photo that shows it more alike finds it: give the item one"
SAYS: Final[Mapping[str, Callable[[QueryTrace, Standing], Says]]] = MappingProxyType(
    {
        steps.APART: _apart,
        steps.FILTER: _filter,
        steps.CATEGORY: _category,
        steps.DEPTH: _depth,
        steps.APPROXIMATE: _approximate,
        steps.FETCH: _fetch,
        steps.FOLD: _fold,
        steps.RANK: _rank,
        steps.SHOWN: _shown,
    }
)
