import json
from dataclasses import replace

import pytest

from pipelines.errors import StageError
from pipelines.hidden.change import change
from pipelines.judge.preparation import NO_DEMAND, Wanted, prepare
from pipelines.judge.task import Task, read_task
from pipelines.releases.verdicts import task_ids
from pipelines.search.engine import SearchEngine
from pipelines.telemetry.progress import Progress
from tests.judge.shop import JudgedShop

GALLERY = Wanted("a", "b", 6, 7, "gallery")


def prepared(shop: JudgedShop, wanted: Wanted = GALLERY, **judge: object) -> Task:
    config = shop.config()
    config = config.model_copy(update={"judge": config.judge.model_copy(update=judge)})
    return prepare(config, shop.store, wanted, Progress(quiet=True))


def test_a_task_holds_what_both_releases_find_as_a_search_does(shop: JudgedShop) -> None:
    task = prepared(shop)
    assert len(task.by_place) == 6
    for rank, release_id in (("first_rank", "a"), ("second_rank", "b")):
        with SearchEngine.open(shop.config(), shop.store, release_id) as engine:
            for pairs in task.by_place:
                found = {getattr(q, rank): q.pair.result.item_id for q in pairs if getattr(q, rank) is not None}
                wanted = [result.item_id for result in engine.similar(pairs[0].pair.query.item_id, 10)]
                assert [found[n] for n in sorted(found)] == wanted


def test_an_item_that_both_find_is_asked_once(shop: JudgedShop) -> None:
    for pairs in prepared(shop).by_place:
        items = [question.pair.result.item_id for question in pairs]
        assert len(set(items)) == len(items) >= 10
        assert any(q.first_rank is not None and q.second_rank is not None for q in pairs)
        assert pairs[0].pair.query.item_id not in items


def test_the_store_gives_back_the_task(shop: JudgedShop) -> None:
    task = prepared(shop)
    assert read_task(shop.store, task.task_id) == task
    assert task_ids(shop.store) == [task.task_id]


def test_the_same_seed_asks_the_same_and_another_asks_others(shop: JudgedShop) -> None:
    first, again, other = (
        [(q.kind, q.pair.query, q.pair.result) for q in prepared(shop, replace(GALLERY, seed=seed)).questions]
        for seed in (7, 7, 8)
    )
    assert again == first
    assert other != first


def test_ids_of_questions_are_not_to_be_made_from_what_is_known(shop: JudgedShop) -> None:
    first, again = (prepared(shop) for _ in range(2))
    assert not first.by_id.keys() & again.by_id.keys()
    assert first.secret not in repr(first)


def test_neither_ids_nor_order_tell_whose_a_result_is(shop: JudgedShop) -> None:
    task = prepared(shop)
    ranks = [[q.second_rank if q.second_rank is not None else 99 for q in pairs] for pairs in task.by_place]
    assert any(order != sorted(order) for order in ranks)
    public = json.dumps([vars(q.pair) for q in task.questions], default=vars)
    assert "rank" not in public
    assert all(q.question_id.isalnum() for q in task.questions)


def test_queries_by_which_releases_were_measured_are_asked_those_of_the_test_split_first(shop: JudgedShop) -> None:
    task = prepared(shop, Wanted("a", "b", 6, 7))
    assert {pairs[0].pair.query.item_id for pairs in task.by_place} == {"i2", "i3", "i4", "i5"}
    assert any("6 queries were wanted, and 4 of held-out" in note for note in task.notes)


def test_a_photo_that_is_not_in_the_gallery_is_asked_as_a_photo(shop: JudgedShop) -> None:
    shop.measure_by_street("a")
    task = prepared(shop, Wanted("a", "b", 6, 7))
    [pairs] = task.by_place
    assert pairs[0].pair.query.image_uri == "street.jpg"
    best = next(q for q in pairs if q.first_rank == 0)
    assert best.pair.result.item_id == "i1"  # whose photo it is


def test_what_is_hidden_is_neither_asked_nor_found(shop: JudgedShop) -> None:
    change(shop.store, "hide", ["i2", "i3"], "sold")
    task = prepared(shop, replace(GALLERY, queries=100))
    assert len(task.by_place) == 12  # of the 14 that both releases hold
    shown = {side.item_id for q in task.questions for side in (q.pair.query, q.pair.result)}
    assert not shown & {"i2", "i3"}


def test_gold_is_known_from_the_catalogue(shop: JudgedShop) -> None:
    task = prepared(shop, gold=5)
    assert len(task.gold) == 5
    same = [q.pair for q in task.gold if q.expected == "same"]
    assert [(pair.query.item_id, pair.result.item_id) for pair in same] == [("i0", "i0")]
    assert same[0].query.digest != same[0].result.digest
    for question in task.gold:
        if question.expected == "not":
            assert question.pair.query.category[0] != question.pair.result.category[0]


def test_repeats_ask_some_pairs_again(shop: JudgedShop) -> None:
    task = prepared(shop, repeats=0.25)
    assert len(task.repeats) == round(len(task.pairs) / 4)
    for question in task.repeats:
        of = task.by_id[question.repeats]
        assert (of.kind, of.pair.query, of.pair.result) == ("pair", question.pair.query, question.pair.result)


def test_it_says_that_no_signal_tells_what_customers_ask(shop: JudgedShop) -> None:
    assert NO_DEMAND in prepared(shop).notes
    assert "queries are drawn by category and by the signal 'views'" in prepared(shop, demand="views", gold=3).notes


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (replace(GALLERY, second="a"), "a cannot be judged beside itself"),
        (replace(GALLERY, second="nine"), "holds no release 'nine'"),
        (Wanted("a", "b", 6, 7), "neither release has kept the queries"),
    ],
    ids=["itself", "unknown", "no queries"],
)
def test_what_cannot_be_judged_is_told(shop: JudgedShop, wanted: Wanted, message: str) -> None:
    for release_id in "ab":
        shop.store.delete(f"releases/{release_id}/queries.parquet")
    with pytest.raises(Exception, match=message):
        prepared(shop, wanted)
    assert task_ids(shop.store) == []


def test_a_release_whose_run_is_gone_is_told(shop: JudgedShop) -> None:
    shop.store.delete("runs/run-b/preprocess/manifest.json")
    with pytest.raises(StageError, match="the run 'run-b' that made release b is gone"):
        prepared(shop)


def test_a_task_that_was_not_finished_is_none(shop: JudgedShop) -> None:
    task = prepared(shop)
    shop.store.delete(f"judgements/{task.task_id}/task.json")
    assert task_ids(shop.store) == []
    with pytest.raises(StageError, match=r"there is no task .*; make one with `visual-search judge new`"):
        read_task(shop.store, task.task_id)
