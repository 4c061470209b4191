"""When a run trains: what is new since the live model, by item and by label, not by count."""

import pyarrow as pa
import pytest

from pipelines.store import Store
from pipelines.tables.buckets import write_bucket
from pipelines.tables.taxonomy import extend_taxonomy
from pipelines.train.news import News, Place, count_news
from pipelines.train.seen import keep_seen, seen_photos
from pipelines.train.stage import run
from tests.train.conftest import (
    BUCKETS,
    FakeTraining,
    MakeContext,
    finish_preprocess,
    go_live,
    write_corrected,
    write_items,
    write_photos,
)

COLOURED = {"attributes": ["colour"], "min_leaf_images": 3, "min_attribute_images": 3}
OTHER_LEAF, OTHER_COLOUR = ("shoes > clogs", "red"), ("shoes > boots", "green")
KNOWN = ("shoes > boots", "red")


@pytest.fixture
def decide(make_context: MakeContext, training: FakeTraining, store: Store):
    """Train on the items a to d, promote, then run again with other items; return the decision and its reason."""
    extend_taxonomy(store, [("attribute:colour", "green"), ("attribute:colour", "red")])
    write_items(store, "of-r1", "abcd", {"a": KNOWN})
    write_photos(store, "r1", {"a": 9})
    store.delete("runs/r1/preprocess/manifest.json")
    finish_preprocess(store, "r1", "of-r1")
    run(make_context(**COLOURED))
    go_live(store, "model1")

    def again(
        items: str,
        labels=None,
        photos=None,
        *,
        split: str = "train",
        run_id: str = "r2",
        corrected: str = "",
        **train: object,
    ) -> tuple[str, str]:
        write_items(store, f"of-{run_id}", items, labels)
        write_corrected(store, f"of-{run_id}", items, corrected)
        write_photos(store, run_id, photos or {}, split)
        finish_preprocess(store, run_id, f"of-{run_id}")
        outputs = run(make_context(run_id, **train)).outputs
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


@pytest.mark.parametrize("label", [OTHER_LEAF, OTHER_COLOUR, ("hats", "red")])
def test_items_of_a_label_that_was_not_learned_and_now_can_be_count_as_new_ones_do(decide, label) -> None:
    labels = {"a": label, "b": KNOWN, "c": KNOWN, "d": KNOWN}
    photos = {"a": 3, "b": 3}
    assert decide("abcd", labels, photos, change_share=0.25, **COLOURED)[0] == "reused"  # 1 of 4
    assert decide("abcd", labels, photos, change_share=0.24, run_id="r3", **COLOURED)[0] == "trained"


def test_the_reason_tells_how_many_items_have_such_a_label(decide) -> None:
    labels = {"a": OTHER_LEAF, "b": OTHER_COLOUR, "c": KNOWN, "z": OTHER_COLOUR}
    decision, reason = decide("abcz", labels, {"a": 3, "b": 2, "z": 1}, change_share=0.74, **COLOURED)
    assert decision == "trained"
    assert "1 of 4 items are new since the live model, and 2 others have a category or attribute value" in reason


def test_an_item_that_is_new_in_two_ways_counts_once(decide) -> None:
    labels = {"a": ("shoes > clogs", "green"), "b": KNOWN, "c": KNOWN, "d": KNOWN}
    assert decide("abcd", labels, {"a": 3}, change_share=0.25, **COLOURED)[0] == "reused"


def test_a_label_that_no_training_learns_is_news_once(decide, store: Store) -> None:
    labels = dict.fromkeys("abcd", OTHER_LEAF)  # all photos may be those of another leaf too
    assert decide("abcd", labels, {"a": 9}, change_share=0.5, **COLOURED)[0] == "trained"
    go_live(store, "model2")
    assert decide("abcd", labels, {"a": 9}, change_share=0.0, run_id="r3", **COLOURED)[0] == "reused"


def test_a_label_with_too_few_photos_to_be_learned_is_no_news(decide) -> None:
    labels = dict.fromkeys("abcd", OTHER_LEAF)
    assert decide("abcd", labels, {"a": 1, "b": 1}, change_share=0.0, **COLOURED)[0] == "reused"


def test_photos_that_nothing_is_learned_from_make_no_label_learnable(decide) -> None:
    labels = dict.fromkeys("abcd", OTHER_LEAF)
    assert decide("abcd", labels, {"a": 9}, split="test", change_share=0.0, **COLOURED)[0] == "reused"


def test_values_of_an_attribute_without_a_head_are_no_news(decide) -> None:
    labels = dict.fromkeys("abcd", OTHER_COLOUR)
    assert decide("abcd", labels, {"a": 9}, change_share=0.0, min_leaf_images=3)[0] == "reused"
    assert decide("abcd", labels, {"a": 9}, change_share=0.0, run_id="r3", **COLOURED)[0] == "trained"


def test_a_category_that_nobody_has_yet_trains_nothing(decide, store: Store) -> None:
    extend_taxonomy(store, [("level:1", "shoes > sandals"), ("attribute:colour", "mauve")])
    assert decide("abcd", change_share=0.0)[0] == "reused"


def test_the_ids_stay_when_the_catalogue_is_collected(decide, store: Store) -> None:
    for entry in list(store.list("catalogue/of-r1")):
        store.delete(entry.name)
    assert decide("abcd", change_share=0.0)[0] == "reused"


def test_a_model_without_a_list_of_items_is_kept(decide, store: Store) -> None:
    for entry in list(store.list("models/model1/items")):
        store.delete(entry.name)
    assert decide("wxyz", change_share=0.0)[0] == "reused"


def test_counts_by_hand(store: Store) -> None:
    assert keep_seen(store, "c1", "none", "models/m", BUCKETS) == 4
    write_items(store, "c2", "cdefg", {"c": OTHER_LEAF, "d": OTHER_COLOUR, "e": OTHER_LEAF})

    def news(catalogue: str, model: str, **labels: set[str]) -> News:
        place = Place(store, f"catalogue/{catalogue}", "none", BUCKETS)
        return count_news(place, f"models/{model}", labels, ["colour"])

    assert news("c2", "m") == News(5, 3)
    assert news("c2", "m", leaf={"shoes > clogs"}, attr_colour={"blue"}) == News(5, 3, 1)
    assert news("c2", "m", leaf={"shoes > clogs"}, attr_colour={"green"}) == News(5, 3, 2)
    assert News(5, 3, 1).share == 0.8
    assert news("none", "m") == News(0, 0)
    assert News(0, 0).share == 0.0
    assert news("c2", "other", leaf={"shoes > clogs"}) == News(5, 0, 2)  # that keeps no list of items


def test_the_digests_that_a_model_could_choose_from_are_kept_beside_it(store: Store) -> None:
    digests = [number.to_bytes(32, "big") for number in range(3)]
    write_bucket(store, "runs/r/train/photos", 1, pa.table({"digest": pa.array(digests, pa.binary(32))}))
    assert seen_photos(store, "models/m", 1) is None
    keep_seen(store, "c1", "runs/r/train/photos", "models/m", BUCKETS)
    kept = [seen_photos(store, "models/m", bucket) for bucket in range(BUCKETS)]
    assert [table["digest"].to_pylist() for table in kept if table is not None] == [[], digests]


def test_items_whose_label_the_shop_has_corrected_count_as_change(decide) -> None:
    labels = {"a": KNOWN, "b": OTHER_COLOUR}
    assert decide("abcd", labels, corrected="b", change_share=0.25, **COLOURED)[0] == "reused"  # 1 of 4
    decision, reason = decide("abcd", labels, corrected="b", change_share=0.24, run_id="r3", **COLOURED)
    assert decision == "trained"
    assert "1 of 4 items were corrected since the live model, over train.change_share = 0.24" in reason


def test_a_correction_that_was_learned_is_news_once(decide, store: Store) -> None:
    labels = {"a": KNOWN, "b": OTHER_COLOUR, "c": OTHER_LEAF}
    assert decide("abcd", labels, corrected="bc", change_share=0.4, **COLOURED)[0] == "trained"
    go_live(store, "model2")
    assert decide("abcd", labels, corrected="bc", change_share=0.0, run_id="r3", **COLOURED)[0] == "reused"
    # the feed has come to say what the correction said: the label is the same
    assert decide("abcd", labels, corrected="c", change_share=0.0, run_id="r4", **COLOURED)[0] == "reused"
    # one is corrected anew, the other one taken back
    labels |= {"b": ("shoes > clogs", "green"), "c": ("shoes > boots", "")}
    assert decide("abcd", labels, corrected="b", change_share=0.5, run_id="r5", **COLOURED)[0] == "reused"
    assert decide("abcd", labels, corrected="b", change_share=0.4, run_id="r6", **COLOURED)[0] == "trained"


def test_what_no_head_learns_of_a_correction_is_no_news(decide, store: Store) -> None:
    labels = {"a": KNOWN, "b": OTHER_COLOUR}
    assert decide("abcd", labels, corrected="b", change_share=0.2)[0] == "trained"
    go_live(store, "model2")
    labels["b"] = ("shoes > boots", "blue")  # colours have no head
    assert decide("abcd", labels, corrected="b", change_share=0.0, run_id="r3")[0] == "reused"


def test_a_new_item_that_is_corrected_counts_once(decide) -> None:
    labels = {"a": KNOWN, "z": OTHER_LEAF}
    assert decide("abcz", labels, corrected="z", change_share=0.25, **COLOURED)[0] == "reused"


def test_a_renamed_category_is_no_news(decide, store: Store) -> None:
    labels = {"b": KNOWN}
    assert decide("abcd", labels, {"a": 9}, corrected="b", change_share=0.2, **COLOURED)[0] == "trained"
    go_live(store, "model2")
    extend_taxonomy(store, [], lambda _, value: {"shoes > boots": "boots"}.get(value))
    renamed = {item: ("boots", "red" if item == "b" else "") for item in "abcd"}
    assert decide("abcd", renamed, {"a": 9}, corrected="b", change_share=0.0, run_id="r3", **COLOURED)[0] == "reused"
