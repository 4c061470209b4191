from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from pipelines.evaluate.rivals import anchors, expanded, rival_of
from pipelines.evaluate.scores import Scores
from pipelines.releases.measures import Measures
from pipelines.store import Log, parquet
from pipelines.store.folder import FolderStore
from tests.evaluate.test_quality import query

NAME = "retrieval.p_at_10"


def table(value: float) -> pa.Table:
    scores = Scores([query("a", "shoes"), query("b", "bags")])
    scores.add(NAME, [value], [0])
    return scores.table({"shoes"})


def test_a_gate_on_a_family_holds_for_each_that_was_measured() -> None:
    measured = [
        "retrieval.leaf_colour_p_at_10",
        "retrieval.leaf_size_p_at_10",
        "retrieval.leaf_baseline_leaf_colour_p_at_10",
        "retrieval.cold_leaf_colour_p_at_10",
        NAME,
    ]
    family = "retrieval.leaf_{attribute}_p_at_10"
    assert expanded({family: 0.1, NAME: 0.2}, measured) == {
        "retrieval.leaf_colour_p_at_10": 0.1,
        "retrieval.leaf_size_p_at_10": 0.1,
        NAME: 0.2,
    }
    assert expanded({family: 0.1}, [NAME]) == {family: 0.1}


def test_a_release_of_another_version_may_have_names_that_mean_nothing_today() -> None:
    family = "retrieval.leaf_{attribute}_p_at_10"
    assert expanded({family: 0.1}, ["histogram.p_at_10", NAME, "retrieval.leaf_size_p_at_10"]) == {
        "retrieval.leaf_size_p_at_10": 0.1
    }


def test_the_scores_of_a_release_survive_their_bytes() -> None:
    back = parquet.decoded(parquet.encoded(table(0.5)))
    assert back.equals(table(0.5))
    assert back[NAME].to_pylist() == [0.5, None]
    assert back["known"].to_pylist() == [True, False]
    assert back["leaf"].to_pylist() == ["shoes", "bags"]


def test_answers_of_today_count_before_what_a_release_kept() -> None:
    measures = Measures("r", {NAME: 0.9}, [], parquet.encoded(table(0.9)))
    kept = rival_of(measures, table(0.5), [NAME, "latency.plan_p95_ms"])
    assert kept.differences.keys() == {NAME}
    assert kept.differences[NAME].mean == -0.4
    again = rival_of(measures, table(0.5), [NAME], (table(0.5), table(0.4)))
    assert round(again.differences[NAME].mean, 6) == 0.1
    assert rival_of(Measures("r", {}, [], None), table(0.5), [NAME]).differences == {}


def test_anchors_are_the_last_releases_before_the_live_one_that_are_still_there(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    assert anchors(store, 5) == []
    for number, name in enumerate(("a", "b", "gone", "d", "live"), 1):
        if name != "gone":
            store.create_json(f"releases/{name}/metrics.json", {NAME: 0.5})
        Log(store, "live").append(number, {"release_id": name, "action": "promote", "run_id": name})
    assert [measures.release_id for measures in anchors(store, 3)] == ["d", "b"]
    assert anchors(store, 0) == []


def test_releases_that_took_their_numbers_are_one_anchor_with_those_they_took_them_from(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for number, (name, by) in enumerate((("a", "a"), ("b", "b"), ("b2", "b"), ("b3", "b"), ("live", "c")), 1):
        store.create_json(f"releases/{name}/metrics.json", {NAME: 0.5})
        entry = {"release_id": name, "action": "promote", "run_id": name, "measured_by": by}
        Log(store, "live").append(number, entry)
    assert [measures.release_id for measures in anchors(store, 2)] == ["b3", "a"]
