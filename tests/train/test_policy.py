"""When a run trains: what is new since the live model, by item and by label, not by count."""

import pytest

from pipelines.store import Store
from pipelines.tables.taxonomy import extend_taxonomy
from pipelines.train.seen import News, count_new_items, keep_items
from pipelines.train.stage import run
from tests.train.conftest import BUCKETS, FakeTraining, MakeContext, finish_preprocess, go_live, write_items


@pytest.fixture
def decide(make_context: MakeContext, training: FakeTraining, store: Store):
    """Train on the items a to d, promote, then run again with other items; return the decision and its reason."""
    run(make_context())
    go_live(store, "model1")

    def again(items: str, **train: object) -> tuple[str, str]:
        write_items(store, "c2", items)
        finish_preprocess(store, "r2", "c2")
        outputs = run(make_context("r2", **train)).outputs
        return outputs.decision, outputs.reason

    return again


def test_equal_items_train_nothing(decide) -> None:
    assert decide("abcd", change_share=0.0)[0] == "reused"


def test_a_full_swap_of_items_trains_though_their_number_is_the_same(decide) -> None:
    decision, reason = decide("wxyz", change_share=0.99)
    assert decision == "trained"
    assert "4 of 4 items are new since the live model, over train.change_share = 0.99" in reason


def test_the_share_is_of_todays_items_and_its_bound_is_allowed(decide) -> None:
    assert decide("abcdy", change_share=0.2)[0] == "reused"  # 1 of 5


def test_over_the_share_trains(decide) -> None:
    assert decide("abcyz", change_share=0.39)[0] == "trained"  # 2 of 5, though one more item than before


def test_items_that_left_are_not_new(decide) -> None:
    assert decide("a", change_share=0.0)[0] == "reused"


@pytest.mark.parametrize(("policy", "decision"), [("reuse", "reused"), ("always", "trained")])
def test_the_other_policies_do_not_look(decide, policy: str, decision: str) -> None:
    assert decide("wxyz", policy=policy, seed=2)[0] == decision


def test_a_new_category_trains(decide, store: Store) -> None:
    extend_taxonomy(store, [("level:1", "shoes > sandals")])
    decision, reason = decide("abcd")
    assert decision == "trained"
    assert "1 categories or attribute values are new" in reason


def test_the_ids_stay_when_the_catalogue_is_collected(decide, store: Store) -> None:
    for entry in list(store.list("catalogue/c1")):
        store.delete(entry.name)
    assert decide("abcd", change_share=0.0)[0] == "reused"


def test_a_model_without_a_list_of_items_is_kept(decide, store: Store) -> None:
    for entry in list(store.list("models/model1/items")):
        store.delete(entry.name)
    assert decide("wxyz", change_share=0.0)[0] == "reused"


def test_counts_by_hand(store: Store) -> None:
    assert keep_items(store, "c1", "models/m", BUCKETS) == 4
    write_items(store, "c2", "cdefg")
    assert count_new_items(store, "c2", "models/m", BUCKETS) == News(5, 3)
    assert News(5, 3).share == 0.6
    assert count_new_items(store, "none", "models/m", BUCKETS) == News(0, 0)
    assert News(0, 0).share == 0.0
    assert count_new_items(store, "c2", "models/other", BUCKETS) is None
