from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest

from pipelines.evaluate.labels import Label, as_labels, gains, labels_of, relevant, relevant_with
from pipelines.evaluate.queries import Query


def query(*path: str, **attributes: str) -> Query:
    return Query(bytes(32), "q", path, attributes, "", "main", "", True, False, ("", -1))


def label(*path: str, **attributes: str) -> Label:
    return Label("item:x", path, attributes, "", ("", -1))


LABELS = {
    "boot": label("shoes", "boots", colour="red"),
    "blue": label("shoes", "boots", colour="blue"),
    "sandal": label("shoes", "sandals", colour="red"),
    "bag": label("bags"),
    "shoe": label("shoes"),
}


def test_relevance_by_leaf_and_by_level() -> None:
    found = ["boot", "sandal", "bag", "shoe", "gone"]
    assert relevant(query("shoes", "boots"), found, LABELS) == [True, False, False, False, False]
    assert relevant(query("shoes", "boots"), found, LABELS, 1) == [True, True, False, True, False]
    assert relevant(query("shoes"), found, LABELS) == [False, False, False, True, False]
    assert relevant(query("shoes"), found, LABELS, 2) == [False] * 5  # the query is not that deep
    assert relevant(query(), ["bag"], LABELS) == [False]


def test_relevance_by_leaf_and_attribute() -> None:
    asked = query("shoes", "boots", colour="red")
    assert relevant_with(asked, ["boot", "blue", "sandal", "gone"], LABELS, "colour") == [True, False, False, False]


def test_what_a_curator_calls_not_alike_is_not_right() -> None:
    asked = replace(query("shoes", "boots", colour="red"), apart=frozenset({"boot"}))
    assert relevant(asked, ["boot", "blue"], LABELS) == relevant(asked, ["boot", "blue"], LABELS, 1) == [False, True]
    assert relevant_with(asked, ["boot", "blue"], LABELS, "colour") == [False, False]
    assert gains(asked, ["boot", "blue"], LABELS) == [0.0, 1.0]


def test_gains_grow_with_the_shared_path() -> None:
    asked = query("shoes", "boots", "ankle")
    assert gains(asked, ["boot", "sandal", "bag", "gone"], LABELS) == pytest.approx([2 / 3, 1 / 3, 0, 0])


def test_labels_are_of_an_items_first_gallery_photo() -> None:
    photos = pa.table(
        {
            "item_id": ["a", "a", "a", "s"],
            "group_id": ["g", "g", "g", None],
            "role": ["main", "main", "street", "street"],
            "position": pa.array([2, 1, 0, 0], pa.int32()),
            "image_uri": ["2", "1", "0", "0"],
            "category": [["shoes", "boots"]] * 4,
            "attributes": pa.array([[("colour", "red")]] * 4, pa.map_(pa.string(), pa.string())),
            "title": ["A"] * 4,
            "digest": pa.array([bytes([n]) * 32 for n in range(4)], pa.binary(32)),
            "image_unit": ["u"] * 4,
            "image_row": pa.array([7, 8, 9, 10], pa.int32()),
        }
    )
    table = labels_of(photos, ["main"], "group")
    assert as_labels(table) == {"a": Label("group:g", ("shoes", "boots"), {"colour": "red"}, "A", ("u", 8))}
    assert as_labels(labels_of(photos, ["none"], "item")) == {}
