"""The opened pieces of an index, as the steps of a query plan share them."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.models.weights import Weights
from pipelines.neighbours.kinds.base import VectorIndex
from pipelines.neighbours.kinds.binary import BinaryIndex
from pipelines.neighbours.kinds.exact import ExactIndex
from pipelines.neighbours.rows import Rows
from pipelines.tables.arrays import Array, Ints

UNCALIBRATED_MASS = 0.95
"""The mass of the categories to scan for a model that says none."""


@dataclass(frozen=True)
class Parts:
    """Hold the opened pieces of an index: what a plan searches.

    `vectors` `[rows, dim]`; `indexes` by kind, `exact` always among them; `trained` the category slots that the model
    can predict (None: every column of its probabilities), `category_mass` how probable those to scan must be together;
    `live_links` bool `[links]`; `weights` what the model learned for the ranking.
    """

    vectors: Array
    rows: Rows
    exact: ExactIndex
    indexes: Mapping[str, VectorIndex]
    binary: BinaryIndex | None
    trained: Ints | None
    live_links: Array
    category_mass: float = UNCALIBRATED_MASS
    weights: Weights | None = None
