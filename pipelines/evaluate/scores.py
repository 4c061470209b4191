"""What is measured of each query alone, and the means of it: a release keeps both."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.evaluate.metrics import Bounded, Metrics, bounded_mean, weighted_mean
from pipelines.evaluate.queries import Query
from pipelines.tables.schemas import DIGEST

Column = npt.NDArray[np.float64]

KEYS = pa.schema(
    [
        ("digest", DIGEST),
        ("group", pa.binary(8)),
        ("leaf", pa.string()),
        ("known", pa.bool_()),
        ("weight", pa.float64()),
    ]
)
"""Of each query: its photo, what a split keeps it together with, its leaf, whether the model had learned that leaf,
and how many photos it stands for. A float64 column a metric follows, null where the query says nothing of it."""


@dataclass
class Scores:
    """Measures of single queries: by metric a float64 column `[num_queries]`, NaN where a query says nothing of it."""

    queries: Sequence[Query]
    columns: dict[str, Column] = field(default_factory=dict)

    @property
    def weights(self) -> Column:
        """How many photos each query stands for, float64 `[num_queries]`."""
        return np.array([query.weight for query in self.queries])

    def add(self, name: str, values: Iterable[float | None], places: Sequence[int] | None = None) -> None:
        """Add what a metric is of each query, or of those at `places`; None where it cannot be said."""
        column = np.full(len(self.queries), np.nan)
        found = np.array([np.nan if value is None else value for value in values], np.float64)
        column[slice(None) if places is None else np.asarray(places, np.int64)] = found
        self.columns[name] = column

    def values(self, name: str) -> tuple[list[float], list[int]]:
        """Return the values of a metric that are there, and of which queries."""
        places = np.flatnonzero(np.isfinite(self.columns[name]))
        return self.columns[name][places].tolist(), places.tolist()

    def means(self) -> Metrics:
        """Return the weighted mean of each column that says something of any query."""
        there = {name: np.isfinite(column) for name, column in self.columns.items()}
        return {
            name: weighted_mean(self.columns[name][places], self.weights[places])
            for name, places in there.items()
            if places.any()
        }

    def counts(self) -> Metrics:
        """Return of how many queries each column says something, as metrics of their own."""
        counts = {name: np.count_nonzero(np.isfinite(column)) for name, column in self.columns.items()}
        return {f"queries.for.{name}": float(count) for name, count in counts.items() if count}

    def bounded(self, name: str) -> Bounded:
        """Return the weighted mean of a column with its lower bound."""
        there = np.isfinite(self.columns[name])
        return bounded_mean(self.columns[name][there], self.weights[there])

    def table(self, known: Collection[str]) -> pa.Table:
        """Return one row a query as `KEYS` and a column a metric; `known` are the leaves that the model had learned."""
        keys = [
            {
                "digest": q.digest,
                "group": q.group,
                "leaf": q.leaf,
                "known": q.leaf in known,
                "weight": q.weight,
            }
            for q in self.queries
        ]
        table = pa.Table.from_pylist(keys, KEYS)
        for name in sorted(self.columns):
            table = table.append_column(name, pa.array(self.columns[name], pa.float64(), from_pandas=True))
        return table
