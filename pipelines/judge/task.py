"""What people are asked about two releases: a task, whole and unchanged from when it was made.

Owns `judgements/<task_id>/`: `items.parquet`, `questions.parquet` and, last, `task.json`. What is erased is gone from
the first: then the questions about it are asked no more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal, get_args

import pyarrow as pa

from pipelines.errors import StageError
from pipelines.releases.verdicts import PREFIX, Judged, standing, task_ids, task_name
from pipelines.store import NotFoundError, Store, StoreError, parquet
from pipelines.tables.schemas import DIGEST

DEPTH: Final = 10
"""Results of a list that are judged."""
Grade = Literal["same", "similar", "not"]
GRADES: Final[tuple[Grade, ...]] = get_args(Grade)
GAINS: Final[Mapping[str, float]] = {"same": 1.0, "similar": 0.5, "not": 0.0}
"""What a result of each grade counts in graded precision."""
Kind = Literal["pair", "gold", "repeat"]
TOLD: Final = ("secret", "created_at", "seed", "raters", "margin", "confidence")

ITEMS = pa.schema(
    [
        ("number", pa.int32()),
        ("item_id", pa.string()),
        ("digest", DIGEST),
        ("image_uri", pa.string()),
        ("title", pa.string()),
        ("category", pa.list_(pa.string())),
    ]
)
"""What is shown: an item with one of its photos."""
QUESTIONS = pa.schema(
    [
        ("question_id", pa.string()),
        ("kind", pa.string()),
        ("place", pa.int32()),
        ("query", pa.int32()),
        ("result", pa.int32()),
        ("first_rank", pa.int32()),
        ("second_rank", pa.int32()),
        ("expected", pa.string()),
        ("repeats", pa.string()),
    ]
)
"""`query` and `result` are numbers of `ITEMS`; `place` is the query's, -1 of gold; ranks are from 0, -1 of none."""


@dataclass(frozen=True)
class Shown:
    """An item as raters see it: one of its photos, by the sha256 of its bytes (hex) and its address."""

    item_id: str
    digest: str
    image_uri: str
    title: str = ""
    category: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """One question as a rater sees it: it does not say who found the result, nor whether the answer is known."""

    question_id: str
    query: Shown
    result: Shown


@dataclass(frozen=True)
class Question:
    """One question of a task.

    A "pair" is a query and a result of either release, or of both, at these ranks (from 0; None of none). "gold" has a
    grade that is `expected`, a "repeat" asks again what the question `repeats` asks. `place` is the query's among all.
    """

    pair: Pair
    kind: Kind
    place: int = -1
    first_rank: int | None = None
    second_rank: int | None = None
    expected: Grade | None = None
    repeats: str = ""

    @property
    def question_id(self) -> str:
        """The question's id, which tells nothing of it."""
        return self.pair.question_id


@dataclass(frozen=True)
class Task:
    """What is asked about two releases, and when it counts as decided.

    Of `secret`, which the store alone holds, are made the ids of questions and the order of each rater: so neither
    tells, not even with the code at hand, which are gold.
    """

    task_id: str
    secret: str = field(repr=False)
    first: Judged
    second: Judged
    created_at: str
    seed: int
    raters: int
    margin: float
    confidence: float
    notes: tuple[str, ...]
    questions: tuple[Question, ...] = field(repr=False)

    @cached_property
    def pairs(self) -> tuple[Question, ...]:
        """The questions that compare the releases, query by query."""
        return self._of_kind("pair")

    @cached_property
    def gold(self) -> tuple[Question, ...]:
        """The questions whose answer is known."""
        return self._of_kind("gold")

    @cached_property
    def repeats(self) -> tuple[Question, ...]:
        """The questions that are asked again."""
        return self._of_kind("repeat")

    @cached_property
    def by_id(self) -> Mapping[str, Question]:
        """All questions by their id."""
        return {question.question_id: question for question in self.questions}

    @cached_property
    def by_digest(self) -> Mapping[str, Shown]:
        """What is shown, by its photo's digest: the first of those that share one."""
        found: dict[str, Shown] = {}
        for question in self.questions:
            for shown in (question.pair.query, question.pair.result):
                found.setdefault(shown.digest, shown)
        return found

    @cached_property
    def by_place(self) -> Sequence[Sequence[Question]]:
        """The pairs of each query, in the order in which queries are asked."""
        queries: dict[int, list[Question]] = {}
        for question in self.pairs:
            queries.setdefault(question.place, []).append(question)
        return [queries[place] for place in sorted(queries)]

    def without(self, item_ids: Collection[str]) -> Task:
        """Return the task without the questions that show any of these items."""
        left = [
            question
            for question in self.questions
            if question.pair.query.item_id not in item_ids and question.pair.result.item_id not in item_ids
        ]
        return self if len(left) == len(self.questions) else replace(self, questions=tuple(left))

    def _of_kind(self, kind: Kind) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.kind == kind)


def write_task(store: Store, task: Task) -> None:
    """Write a task, the description last. Raises StoreError when one of this name is there."""
    folder, numbers = f"{PREFIX}/{task.task_id}", dict[Shown, int]()
    rows = [_row(question, numbers) for question in task.questions]
    shown = [{**asdict(item), "number": n, "digest": bytes.fromhex(item.digest)} for item, n in numbers.items()]
    store.create(f"{folder}/items.parquet", parquet.encoded(pa.Table.from_pylist(shown, ITEMS)))
    store.create(f"{folder}/questions.parquet", parquet.encoded(pa.Table.from_pylist(rows, QUESTIONS)))
    told = {name: getattr(task, name) for name in TOLD}
    told |= {"first": asdict(task.first), "second": asdict(task.second), "notes": list(task.notes)}
    if not store.create_json(task_name(task.task_id), told | {"questions": len(task.questions)}):
        raise StoreError(f"{store.uri} holds a task {task.task_id} already; make it again")


def read_task(store: Store, task_id: str) -> Task:
    """Return a task. Raises StageError when there is none of this name, StoreError for a damaged one."""
    try:
        kept = store.read_json(task_name(task_id))
    except (NotFoundError, StoreError) as error:
        if not isinstance(error, NotFoundError) and task_id in task_ids(store):
            raise
        raise StageError(f"there is no task {task_id!r}; {_known(store)}") from error
    try:
        questions = _questions(store, f"{PREFIX}/{task_id}")
        told = {name: kept[name] for name in TOLD}
        told |= {"first": Judged(**kept["first"]), "second": Judged(**kept["second"]), "notes": tuple(kept["notes"])}
        return Task(task_id, questions=questions, **told)
    except (KeyError, TypeError, pa.ArrowException, OSError) as error:
        raise StoreError(f"{store.uri}/{PREFIX}/{task_id} is damaged ({error}); make another task") from error


def newest_task_id(store: Store) -> str:
    """Return the task that was made last and has no verdict, else the last one. Raises StageError of none."""
    known = task_ids(store)
    if not known:
        raise StageError(f"{store.uri} holds no task; make one with `visual-search judge new`")
    return next((name for name in reversed(known) if standing(store, name).verdict is None), known[-1])


def _known(store: Store) -> str:
    known = task_ids(store)
    return f"choose one of {', '.join(known)}" if known else "make one with `visual-search judge new`"


def _row(question: Question, numbers: dict[Shown, int]) -> dict[str, Any]:
    """Return a question's row; what it shows gets the next `numbers` as it is met."""
    query, result = (numbers.setdefault(shown, len(numbers)) for shown in (question.pair.query, question.pair.result))
    return {
        "question_id": question.question_id,
        "kind": question.kind,
        "place": question.place,
        "query": query,
        "result": result,
        "first_rank": -1 if question.first_rank is None else question.first_rank,
        "second_rank": -1 if question.second_rank is None else question.second_rank,
        "expected": question.expected or "",
        "repeats": question.repeats,
    }


def _questions(store: Store, folder: str) -> tuple[Question, ...]:
    """Return the questions in order, without those about what was erased."""
    items, questions = (parquet.decoded(store.read(f"{folder}/{name}.parquet")) for name in ("items", "questions"))
    shown = {row["number"]: _shown(row) for row in items.to_pylist()}
    rows = [row for row in questions.to_pylist() if row["query"] in shown and row["result"] in shown]
    found = [_question(row, Pair(row["question_id"], shown[row["query"]], shown[row["result"]])) for row in rows]
    known = {question.question_id for question in found}
    return tuple(question for question in found if not question.repeats or question.repeats in known)


def _shown(row: Mapping[str, Any]) -> Shown:
    return Shown(
        row["item_id"], row["digest"].hex(), row["image_uri"] or "", row["title"] or "", tuple(row["category"] or ())
    )


def _question(row: Mapping[str, Any], pair: Pair) -> Question:
    first, second = (None if row[name] < 0 else int(row[name]) for name in ("first_rank", "second_rank"))
    return Question(pair, row["kind"], row["place"], first, second, row["expected"] or None, row["repeats"])
