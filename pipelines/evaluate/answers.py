"""What a release answers the queries: with how many results wanted, in which part of its gallery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Protocol

import numpy as np
import pyarrow as pa

from pipelines.evaluate.asked import Asked
from pipelines.evaluate.engine import WHOLE, Engine, Unwanted
from pipelines.models.outputs import QueryOutputs

Ids = list[list[str]]


class Ask(Protocol):
    """Asks a part of a gallery, with what each query may not find."""

    def __call__(self, outputs: QueryOutputs, *, unwanted: Sequence[Unwanted]) -> Iterable[Iterable[object]]:
        """Return the results of each query, best first."""


KEPT, TEST = "kept", "test"
"""The gallery without the items of the test split, and those alone."""


@dataclass(frozen=True)
class Answers:
    """Item ids that a release finds for every query, best first.

    `ten` and `hundred` of the whole gallery by the plan, `found` its best 10 before re-ranking; `kept_…` what retrieval
    quality is judged on, by the plan, by exact search and by code alone (empty without a binary index). `cold` is found
    when the query's own photo alone is left out, so that items which nothing was learned from are among the results;
    `cold_only` among those items alone. `again` tells which queries have another photo of their item to find.
    """

    ten: Ids
    hundred: Ids
    found: Ids
    kept_ten: Ids
    kept_hundred: Ids
    exact: Ids = field(default_factory=list)
    code: Ids = field(default_factory=list)
    cold: Ids = field(default_factory=list)
    cold_only: Ids = field(default_factory=list)
    again: list[bool] = field(default_factory=list)

    def item_ids(self) -> set[str]:
        """Return every item found."""
        lists = (getattr(self, part.name) for part in fields(self) if part.name != "again")
        return {item_id for answers in lists for of_query in answers for item_id in of_query}


def ask(engine: Engine, asked: Asked, test_items: pa.ChunkedArray, exact: Ids) -> Answers:
    """Return what the plan finds with 10 and with 100 results wanted: who asks for few gets fewer candidates."""
    engine.add_gallery(KEPT, test_items, without=True)
    engine.add_gallery(TEST, test_items)
    own = own_items(asked)
    ten, hundred = (ids_of(engine.results(asked.outputs, k, own)) for k in (10, 100))
    kept_ten, kept_hundred = (
        by_role(asked, own, whole, partial(engine.results, k=k, gallery=KEPT))
        for k, whole in ((10, ten), (100, hundred))
    )
    found = ids_of(engine.candidates(asked.outputs, 10, own))
    cold, again = ask_cold(engine, asked)
    cold_only = ids_of(engine.results(asked.outputs, 10, own_photos(asked), TEST))
    code: Ids = []
    if "binary" in engine.kinds:
        everywhere = ids_of(engine.by_code(asked.outputs, 100, own, WHOLE))
        code = by_role(asked, own, everywhere, partial(engine.by_code, k=100, gallery=KEPT))
    return Answers(ten, hundred, found, kept_ten, kept_hundred, exact, code, cold, cold_only, again)


def ask_cold(engine: Engine, asked: Asked, gallery: str = WHOLE) -> tuple[Ids, list[bool]]:
    """Return what is found in a gallery with the query's photo alone left out.

    And which queries have another photo of their item to find.
    """
    own = own_photos(asked)
    items = [query.item_id for query in asked.queries]
    return ids_of(engine.results(asked.outputs, 10, own, gallery)), engine.shows_again(
        asked.outputs, items, own, gallery
    )


def own_items(asked: Asked) -> list[Unwanted]:
    """Return what queries leave out where another photo of their item would be too easy."""
    return [Unwanted(items) for items in asked.own]


def own_photos(asked: Asked) -> list[Unwanted]:
    """Return what queries leave out where another photo of their item is to be found."""
    return [Unwanted() if query.cross else Unwanted(photo=query.digest) for query in asked.queries]


def by_role(asked: Asked, own: Sequence[Unwanted], whole: Ids, ask: Ask) -> Ids:
    """Return what `ask` finds for photos of the gallery's roles, and what the `whole` gallery has for others."""
    inside = [n for n, query in enumerate(asked.queries) if not query.cross]
    if not inside:
        return whole
    found = ids_of(ask(asked.outputs.take(np.array(inside, np.int64)), unwanted=[own[n] for n in inside]))
    lists = list(whole)
    for place, ids in zip(inside, found, strict=True):
        lists[place] = ids
    return lists


def ids_of(found: Iterable[Iterable[object]]) -> Ids:
    """Return the item ids of results."""
    return [[result.item_id for result in results] for results in found]  # type: ignore[attr-defined]
