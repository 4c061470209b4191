"""Which releases are judged where nobody names them, and what becomes of them meanwhile."""

import json
import time
from typing import Any

import pytest

from pipelines.erase.subject import Subject
from pipelines.erase.tables import clean_table
from pipelines.errors import GateError
from pipelines.judge.choice import chosen, open_task, run_that_waits
from pipelines.judge.task import read_task, write_task
from pipelines.releases.release import read_release
from pipelines.releases.verdicts import being_judged
from pipelines.store import Store
from tests.judge.conftest import make_task, pair
from tests.judge.shop import JudgedShop


def change(store: Store, release_id: str, **told: Any) -> None:
    name = f"releases/{release_id}/manifest.json"
    store.put(name, json.dumps(store.read_json(name) | told).encode())


def test_the_live_release_is_judged_beside_what_might_follow_it(shop: JudgedShop) -> None:
    change(shop.store, "b", parent="a", blessed=True)
    assert chosen(shop.store) == ("a", "b")
    assert run_that_waits(shop.store, "b") == "run-b"


def test_without_one_it_is_judged_beside_what_was_live_before(shop: JudgedShop) -> None:
    shop.go_live("b")
    assert chosen(shop.store) == ("a", "b")
    assert run_that_waits(shop.store, "b") == ""


@pytest.mark.parametrize(
    "told", [{"parent": "a"}, {"parent": "z", "blessed": True}], ids=["not blessed", "beside another one"]
)
def test_what_may_not_follow_is_not_chosen(shop: JudgedShop, told: dict[str, Any]) -> None:
    change(shop.store, "b", **told)
    with pytest.raises(GateError, match="there is nothing to judge beside the live release a"):
        chosen(shop.store)


def test_what_answers_as_the_live_one_does_is_not_chosen(shop: JudgedShop) -> None:
    change(shop.store, "b", parent="a", blessed=True, index=shop.store.read_json("releases/a/manifest.json")["index"])
    with pytest.raises(GateError, match="there is nothing to judge"):
        chosen(shop.store)


def test_a_store_without_a_live_release_is_told(shop: JudgedShop) -> None:
    shop.store.delete("live/00000001.json")
    with pytest.raises(GateError, match="has no live release yet"):
        chosen(shop.store)


def test_a_task_that_is_not_decided_is_found_again(shop: JudgedShop) -> None:
    a, b = (read_release(shop.store, name) for name in "ab")
    assert open_task(shop.store, a, b) is None
    write_task(shop.store, make_task([pair("p0")]))
    assert open_task(shop.store, a, b) is not None
    assert being_judged(shop.store, 0.0) == {"a", "b"}
    assert being_judged(shop.store, time.time() + 1e9) == set()


def test_what_is_erased_is_asked_no_more(shop: JudgedShop) -> None:
    task = make_task([pair("p0"), pair("p1"), pair("p2", 1)])
    write_task(shop.store, task)
    assert clean_table(shop.store, "judgements/t1/items.parquet", Subject(("p0",)))
    left = read_task(shop.store, "t1")
    assert [question.question_id for question in left.questions] == ["p1", "p2"]
    assert b"p0.jpg" not in shop.store.read("judgements/t1/items.parquet")
