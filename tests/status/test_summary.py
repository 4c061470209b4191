"""How good the live release is, in plain words: each sentence tells the number that it speaks of."""

from pathlib import Path

import pytest

from pipelines.status.status import LiveRelease
from pipelines.status.summary import in_words
from pipelines.store import open_store

LIVE = LiveRelease("r1", 1, "promote", "", 0, 0, "", None, None, "run-1", [], {}, items=1963)
METRICS = {
    "gallery.photos": 3926.0,
    "recall.plan_at_10": 0.914,
    "recall.candidates_at_10": 0.9995,
    "qps.plan": 500.0,
    "qps.exact": 900.0,
}


def test_what_the_search_finds_is_what_is_among_its_ten_results(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.create_json("releases/r1/metrics.json", METRICS)
    store.create_json("releases/r1/manifest.json", {"notes": ["the model has learned none"]})
    lines = in_words(store, LIVE, "config.toml")
    assert lines[1] == "Live now: 1,963 items with 3,926 different photos can be searched by photo."
    assert lines[2:6] == [
        "How good its results are was not measured: no photo was held back from training.",
        "  * of the ten best by a comparison with every photo, 91.4% are among the ten results; before these are "
        "re-ranked, 100.0%",
        "  * a whole search of the index (categories, re-ranking, items) is done 500 times a second here, the bare "
        "comparison of a vector with every photo 900 times, which takes longer the more photos there are",
        "Note: the model has learned none",
    ]


def test_a_number_that_rests_on_other_photos_tells_how_many(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    held_out = {"queries.held_out": 418.0, "leaf.a.queries": 418.0, "leaf.a.p_at_10": 0.5}
    found = {"category.leaf_top1": 0.9, "retrieval.same_item_hit_at_1": 0.07, "retrieval.same_item_hit_at_5": 0.33}
    counts = {"category.leaf_top1": 418.0, "retrieval.same_item_hit_at_1": 43.0, "retrieval.same_item_hit_at_5": 1.0}
    metrics = METRICS | held_out | found | {f"queries.for.{name}": count for name, count in counts.items()}
    store.create_json("releases/r1/metrics.json", metrics)
    store.create_json("releases/r1/manifest.json", {})
    lines = in_words(store, LIVE, "config.toml")
    assert lines[2:6] == [
        "Measured with 418 photos that the model did not learn from, in 1 category:",
        "  * the model names the category of 90% of the photos",
        "  * of other photos of an item that is in the index, 7% find the item first (43 photos)",
        "  * and 33% find it in the first five (1 photo)",
    ]


@pytest.mark.parametrize(
    ("leaves", "said"),
    [
        (["Men > Shirts", "Women > Shirts"], "90% are in the photo's top-level category"),
        (["Home > Men", "Home > Women"], "80% are in the photo's category of level 2 (all are below Home)"),
        (
            ["A > Home > Men > Shirts", "A > Home > Women"],
            "70% are in the photo's category of level 3 (all are below A > Home)",
        ),
        (["Homes > Men", "Home > Women"], "90% are in the photo's top-level category"),
        (["Home > Men"], "90% are in the photo's top-level category"),
        (["Home", "Home > Men"], "80% are in the photo's category of level 2 (all are below Home)"),
    ],
)
def test_a_level_that_all_share_says_nothing(tmp_path: Path, leaves: list[str], said: str) -> None:
    store = open_store(str(tmp_path))
    measured = {f"leaf.{leaf}.queries": 5.0 for leaf in leaves} | {"queries.held_out": 10.0}
    levels = {f"retrieval.p_at_10_l{level}": 1 - level / 10 for level in (1, 2, 3)}
    store.create_json("releases/r1/metrics.json", METRICS | measured | levels)
    store.create_json("releases/r1/manifest.json", {})
    assert in_words(store, LIVE, "config.toml")[3] == f"  * of the ten most similar results, {said}"


def test_of_a_sample_the_next_commands_look_into_the_sample(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.create_json("releases/r1/metrics.json", METRICS)
    store.create_json("releases/r1/manifest.json", {})
    *_, photos, item, run = in_words(store, LIVE, "config.toml", sample=True)
    assert photos.endswith("search --config config.toml --sample PHOTO_OR_FOLDER --html results.html")
    assert item.endswith("search --config config.toml --sample --item ITEM_ID")
    assert run.endswith("run --config config.toml   # the whole shop")


def test_where_no_photo_has_another_item_of_its_category_no_share_of_none_is_told(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    none = {"retrieval.p_at_10": 0.0, "retrieval.attainable_p_at_10": 0.0, "queries.held_out": 12.0}
    store.create_json("releases/r1/metrics.json", METRICS | none)
    store.create_json("releases/r1/manifest.json", {})
    lines = in_words(store, LIVE, "config.toml")
    assert "  * no photo had another item of exactly its category that could be found" in lines
    assert not [line for line in lines if "0% that could be" in line]
