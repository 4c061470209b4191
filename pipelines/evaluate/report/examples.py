"""Which queries the report shows, and what is told of each of their results.

Owns the choice: drawn at random, the best and the worst, one a category before a second one. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines.evaluate.answers import Answers
from pipelines.evaluate.asked import Asked
from pipelines.evaluate.labels import Label, relevant
from pipelines.evaluate.metrics import precision_at
from pipelines.store import Place

RESULTS = 10


@dataclass(frozen=True)
class Group:
    """A group of examples and what is said above it."""

    name: str
    title: str
    text: str


GROUPS = (
    Group("random", "Drawn at random", "The queries of lowest hash: nobody chose them."),
    Group("worst", "The worst", "Fewest results of the query's own category, one query a category."),
    Group("best", "The best", "Most results of the query's own category, one query a category."),
)


@dataclass(frozen=True)
class Result:
    """One result: its label's words, its picture, and how it agrees: "item", "leaf", "part" or "none"."""

    item_id: str
    title: str
    path: tuple[str, ...]
    place: Place
    agrees: str
    picture: str = ""


@dataclass(frozen=True)
class Example:
    """One query with its first results; `precision` of its first 10 by leaf, None when it is not judged."""

    item_id: str
    title: str
    path: tuple[str, ...]
    role: str
    place: Place
    precision: float | None
    results: list[Result]
    picture: str = ""

    def with_pictures(self, pictures: Mapping[Place, str]) -> Example:
        """Return the example with what pictures there are."""
        results = [replace(result, picture=pictures.get(result.place, "")) for result in self.results]
        return replace(self, picture=pictures.get(self.place, ""), results=results)


def choose(asked: Asked, answers: Answers, labels: Mapping[str, Label], count: int) -> dict[str, list[Example]]:
    """Return about `count` examples by group; queries that cannot be judged are only drawn at random."""
    judged = asked.judged
    precisions = {n: precision_at(relevant(asked.queries[n], answers.kept_ten[n], labels), 10) for n in judged}
    part = count // 3 if judged else 0
    random = list(range(len(asked.queries)))[: count - 2 * part]
    free = [n for n in judged if n not in random]
    worst = _one_a_leaf(asked, sorted(free, key=lambda n: (precisions[n], n)))[:part]
    best = _one_a_leaf(asked, sorted((n for n in free if n not in worst), key=lambda n: (-precisions[n], n)))[:part]
    groups = {"random": random, "worst": worst, "best": best}
    return {
        name: [_example(asked, answers, labels, n, precisions.get(n)) for n in chosen]
        for name, chosen in groups.items()
    }


def picture_places(groups: Mapping[str, Iterable[Example]]) -> set[Place]:
    """Return every picture that the examples need."""
    examples = [example for chosen in groups.values() for example in chosen]
    return {example.place for example in examples} | {
        result.place for example in examples for result in example.results
    }


def _one_a_leaf(asked: Asked, ranked: Sequence[int]) -> list[int]:
    seen: set[tuple[str, ...]] = set()
    first: list[int] = []
    later: list[int] = []
    for n in ranked:
        (later if asked.queries[n].path in seen else first).append(n)
        seen.add(asked.queries[n].path)
    return first + later


def _example(asked: Asked, answers: Answers, labels: Mapping[str, Label], n: int, precision: float | None) -> Example:
    query = asked.queries[n]
    results = [
        _result(query.item_id, query.path, item_id, labels[item_id])
        for item_id in answers.kept_ten[n][:RESULTS]
        if item_id in labels
    ]
    return Example(query.item_id, query.title, query.path, query.role, query.image, precision, results)


def _result(own: str, path: tuple[str, ...], item_id: str, label: Label) -> Result:
    agrees = "none"
    if item_id == own:
        agrees = "item"
    elif path and label.path == path:
        agrees = "leaf"
    elif path and label.path[:1] == path[:1]:
        agrees = "part"
    return Result(item_id, label.title, label.path, label.image, agrees)
