"""A task of judging over the shop's releases: `first` has photos 0 to 11, and `second`, not live, 12 to 15 too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipelines.judge.task import Grade, Kind, Pair, Question, Shown, Task, write_task
from pipelines.releases.verdicts import Judged
from pipelines.store import initialise
from tests.serving.shop import BUCKETS, CONFIG, ServedShop

TASK = "20261129T120000Z-abcdef"
FIRST, SECOND = Judged("first", "m1", "first-index"), Judged("second", "m1", "second-index")


def make_judged(root: Path) -> ServedShop:
    """Return a shop with the photos of both releases and nothing that answers queries: judging needs no more."""
    root.mkdir(parents=True)
    shop = ServedShop(root)
    shop.config_path.write_text(CONFIG, encoding="utf-8")
    initialise(shop.store, BUCKETS)
    for release_id, run_id, count in (("first", "run-1", 12), ("second", "run-2", 16)):
        shop.add_photos(run_id, range(count))
        shop.store.create_json(f"releases/{release_id}/manifest.json", {"release_id": release_id, "run_id": run_id})
    return shop


def shown(shop: ServedShop, number: int) -> Shown:
    """Return the item of a photo; those of `second` alone are called otherwise."""
    name = f"i{number}" if number < 12 else f"j{number}"
    return Shown(name, shop.digest(number).hex(), f"p{number}.jpg", f"Item {number}", ("Shoes", "Boots"))


def question(
    shop: ServedShop, name: str, query: int, result: int, kind: Kind = "pair", expected: Grade | None = None
) -> Question:
    """Return a question of a query's pool; `second` alone finds what it alone has."""
    ranks = (None, 0) if result > 11 else (result % 10, None)
    found = ranks if kind == "pair" else (None, None)
    place = query if kind == "pair" else -1
    return Question(Pair(name, shown(shop, query), shown(shop, result)), kind, place, *found, expected)


def questions_of(shop: ServedShop) -> list[Question]:
    """Return three queries of four results each, and two questions whose answer is known."""
    pairs = [
        question(shop, f"q{query}{result:02}", query, result) for query in range(3) for result in (4, 5, 12 + query, 15)
    ]
    gold = [
        question(shop, "q900", 6, 7, "gold", expected="not"),
        question(shop, "q901", 8, 9, "gold", expected="same"),
    ]
    return [*pairs, *gold]


def add_task(
    shop: ServedShop,
    task_id: str = TASK,
    *,
    first: Judged = FIRST,
    second: Judged = SECOND,
    raters: int = 2,
    questions: Sequence[Question] | None = None,
    created_at: str = "2026-11-29T12:00:00+00:00",
) -> Task:
    """Write a task into a shop's store; return it."""
    asked = tuple(questions_of(shop) if questions is None else questions)
    task = Task(task_id, "a secret", first, second, created_at, 1, raters, 0.03, 0.95, (), asked)
    write_task(shop.store, task)
    return task
