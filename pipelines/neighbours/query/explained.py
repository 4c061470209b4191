"""What a plan did for one query, for a person: what was looked at, and what each result's place is made of.

Owns no step: the results are those of the plan, and their parts those that it ranked by.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.kinds.rerank import exact_scores
from pipelines.neighbours.query.candidates import CandidateFinder
from pipelines.neighbours.query.exclusion import Exclusion
from pipelines.neighbours.query.parts import Parts
from pipelines.neighbours.query.plan import PlanResult
from pipelines.neighbours.query.ranking import Ranker
from pipelines.neighbours.settings import PlanConfig

SEEN = 5
SAME_PHOTO = "same photo"
"""The name of what puts the query's very photo ahead of others."""
ROUNDING = 1e-5


@dataclass(frozen=True)
class Sight:
    """One category or value that the model sees in a photo: its slot or its name, and how probable it is."""

    value: str | int
    probability: float


@dataclass(frozen=True)
class Explained:
    """How one query was answered.

    `seen`: the most probable leaf categories, by slot, the neighbours' votes among it where the plan asks for them;
    `seen_attributes`: of each attribute the most probable values. `kind` is the index that was asked; `scanned` codes
    or vectors were compared (-1 where the index does not say), those of the categories `slots` (None: not by category),
    and `depth` of them scored; `rounds` tells how often it had to look further. `left` is how many photos a filter
    leaves, None without one. `parts`: of each result what its place is made of, by name; they sum up to `scores`.
    """

    seen: tuple[Sight, ...]
    seen_attributes: Mapping[str, tuple[Sight, ...]]
    kind: str
    scanned: int
    depth: int
    rounds: int
    slots: tuple[int, ...] | None
    left: int | None
    parts: tuple[Mapping[str, float], ...]
    scores: tuple[float, ...]


def explain(
    parts: Parts, config: PlanConfig, outputs: QueryOutputs, exclusion: Exclusion, result: PlanResult
) -> Explained:
    """Return how the plan came to `result` for the one query of `outputs`."""
    [links], [scores] = result.links, result.scores
    asked = CandidateFinder(parts, config).with_votes(outputs, [exclusion])
    rows = np.asarray(parts.rows.link_row[links])
    similarities = exact_scores(parts.vectors, asked.embeddings, rows[None, :])[0]
    sums = Ranker(parts, config).parts(links, similarities, asked, 0)
    return Explained(
        () if asked.probabilities is None else _best(asked.probabilities[0], range(len(asked.probabilities[0]))),
        {name: _best(of.probabilities[0], of.values) for name, of in asked.attributes.items()},
        config.kind,
        int(result.scanned[0]),
        int(result.depth[0]),
        int(result.rounds[0]),
        None if result.categories is None else tuple(map(int, result.categories[0])),
        None if exclusion.only is None else exclusion.only.num_rows,
        tuple(_parts(sums, at, float(score)) for at, score in enumerate(scores)),
        tuple(map(float, scores)),
    )


def _parts(sums: Mapping[str, np.ndarray], at: int, score: float) -> dict[str, float]:
    parts = {name: float(values[at]) for name, values in sums.items()}
    lift = score - sum(parts.values())
    return parts | ({SAME_PHOTO: lift} if lift > ROUNDING else {})


def _best(probabilities: np.ndarray, values: Sequence[str | int]) -> tuple[Sight, ...]:
    best = np.argsort(-probabilities, kind="stable")[:SEEN]
    return tuple(Sight(values[at], float(probabilities[at])) for at in best if probabilities[at] > 0)
