from __future__ import annotations

import numpy as np

from pipelines.evaluate.answers import Answers
from pipelines.evaluate.asked import Asked
from pipelines.evaluate.labels import Label
from pipelines.evaluate.queries import Query
from pipelines.evaluate.report.examples import choose, picture_places
from pipelines.evaluate.vectors import Vectors
from pipelines.models.outputs import QueryOutputs

LABELS = {
    name: Label("", path, {}, name, (name, 0))
    for name, path in {"boot": ("shoes", "boots"), "clog": ("shoes", "clogs"), "bag": ("bags",)}.items()
}


def asked_of(*paths: tuple[str, ...], held_out: bool = True, item: str = "q") -> Asked:
    queries = [
        Query(bytes(32), item, path, {}, "", "main", "", held_out, False, (f"q{n}", 1)) for n, path in enumerate(paths)
    ]
    nothing = np.zeros((len(paths), 0))
    vectors = Vectors(
        [bytes(32)] * len(paths), nothing, nothing.astype(np.uint8), nothing.astype(np.int32), nothing, [""]
    )
    return Asked(queries, vectors, QueryOutputs(nothing.astype(np.float32)), [[] for _ in queries])


def answers_of(lists: list[list[str]]) -> Answers:
    return Answers(lists, lists, lists, lists, lists)


def test_groups_are_random_then_worst_then_best_of_the_rest() -> None:
    lists = [["boot"] * n + ["bag"] * (10 - n) for n in (5, 0, 1, 9, 10, 4)]
    groups = choose(asked_of(*[("shoes", "boots")] * 6), answers_of(lists), LABELS, 3)
    assert {name: [example.precision for example in group] for name, group in groups.items()} == {
        "random": [0.5],
        "worst": [0.0],
        "best": [1.0],
    }


def test_a_category_is_shown_once_before_it_is_shown_twice() -> None:
    # the first three are drawn at random; of the rest, two boots and one bag find nothing of their own
    paths = [("bags",)] * 3 + [("shoes", "boots")] * 2 + [("bags",)] * 2
    lists = [[], [], [], ["bag"] * 10, ["bag"] * 10, ["clog"] * 8 + ["bag"] * 2, []]
    worst = choose(asked_of(*paths), answers_of(lists), LABELS, 7)["worst"]
    assert [example.path for example in worst] == [("shoes", "boots"), ("bags",)]


def test_results_tell_how_they_agree() -> None:
    asked = asked_of(("shoes", "boots"), item="clog")
    (example,) = choose(asked, answers_of([["boot", "clog", "bag", "gone"]]), LABELS, 1)["random"]
    assert [(result.item_id, result.agrees) for result in example.results] == [
        ("boot", "leaf"),
        ("clog", "item"),
        ("bag", "none"),
    ]
    other = asked_of(("shoes", "boots"))
    (example,) = choose(other, answers_of([["clog"]]), LABELS, 1)["random"]
    assert example.results[0].agrees == "part"
    assert example.results[0].place == ("clog", 0)
    assert picture_places({"random": [example]}) == {("q0", 1), ("clog", 0)}
    assert example.with_pictures({("q0", 1): "data:x"}).picture == "data:x"
    assert example.with_pictures({}).results[0].picture == ""


def test_queries_that_cannot_be_judged_are_drawn_at_random_alone() -> None:
    groups = choose(asked_of(("bags",), ("bags",), held_out=False), answers_of([["bag"], ["bag"]]), LABELS, 9)
    assert [len(groups[name]) for name in ("random", "worst", "best")] == [2, 0, 0]
    assert groups["random"][0].precision is None
