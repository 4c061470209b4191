"""What the tables of the report tell beside a value."""

from pipelines.evaluate.report import page
from pipelines.evaluate.report.plots import large_leaves

METRICS = {
    "queries.count": 418.0,
    "retrieval.p_at_10": 0.8,
    "retrieval.same_item_hit_at_1": 0.07,
    "queries.for.retrieval.p_at_10": 418.0,
    "queries.for.retrieval.same_item_hit_at_1": 43.0,
}
MANIFEST = {"counts": {"in": 3, "ok": 1, "skipped": 0, "rejected": 2}, "seconds": 1.0, "rejects": {"missing": 2}}


def test_a_cell_tells_its_queries_where_these_are_not_all() -> None:
    rows = dict(page.baseline_rows(METRICS))
    assert rows["P@10, leaf"][0] == (0.8, None)
    assert rows["same item, first 1"][0] == (0.07, 43)


def test_counts_of_queries_stand_beside_what_they_are_of() -> None:
    sections = dict(page.metric_rows(METRICS, None))
    assert [row["name"] for row in sections["What was measured"]] == ["queries.count"]
    rows = {row["name"]: row["queries"] for row in sections["Retrieval quality, on held-out items"]}
    assert rows == {"retrieval.p_at_10": 418, "retrieval.same_item_hit_at_1": 43}


def test_reject_codes_stand_once_in_a_line() -> None:
    told = ["2 of 3 rejected: missing 2", "  missing, for example a.jpg"]
    assert page._stage_row("preprocess", {**MANIFEST, "notes": told})["notes"] == told
    assert page._stage_row("index", {**MANIFEST, "notes": ["new"]})["notes"] == ["rejected missing 2", "new"]


def test_categories_of_few_queries_are_not_called_large() -> None:
    assert large_leaves([("a", 0.5, 1), ("b", 0.4, 2)]) == []
    assert large_leaves([("a", 0.5, 5), ("b", 0.4, 4)]) == [("a", 0.5, 5)]
