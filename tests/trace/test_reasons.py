"""Items that are missing, each for another reason, and the trace of each names its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.trace.reasons import OF_RUNS
from tests.trace.shop import TracedShop

WHY = {
    "zzz": ("feed", "never_named"),
    "Good-001": ("feed", "spelled_otherwise"),
    "4006381333931": ("feed", "bad_item_id"),
    "new delta": ("feed", "not_read_yet"),
    "old delta": ("feed", "passed_over"),
    "no category": ("catalogue", "no_category"),
    "odd price": ("catalogue", "bad_number"),
    "odd date": ("catalogue", "bad_date"),
    "tomorrow": ("catalogue", "future_date"),
    "odd gone": ("catalogue", "bad_deleted"),
    "only media": ("catalogue", "unknown_item"),
    "no photo": ("catalogue", "waiting_for_photo"),
    "delta gone": ("catalogue", "deleted_by_delta"),
    "row gone": ("catalogue", "deleted_by_row"),
    "sold out": ("catalogue", "not_in_snapshot"),
    "missing": ("preprocess", "missing"),
    "folder": ("preprocess", "not_a_file"),
    "page": ("preprocess", "not_an_image"),
    "empty": ("preprocess", "empty"),
    "cut": ("preprocess", "truncated"),
    "small": ("preprocess", "too_small"),
    "large": ("preprocess", "too_many_pixels"),
    "ftp": ("preprocess", "unsupported_scheme"),
    "elsewhere": ("preprocess", "outside_roots"),
    "private": ("preprocess", "refused_address"),
    "closed": ("preprocess", "unreachable"),
    "none0": ("preprocess", "placeholder"),
    "green": ("embed", "nonfinite"),
    "red": ("embed", "inference_failed"),
    "street": ("index", "role_not_searched"),
    "newest": ("release", "gate_refused"),
}


@pytest.mark.parametrize("item_id", WHY)
def test_the_reason_of_each_is_named(shop: TracedShop, item_id: str) -> None:
    step, reason = WHY[item_id]
    known = item_id not in {"zzz", "Good-001", "4006381333931"}
    found = shop.trace(item_id, code=1 if known else 2)
    verdict = found["verdict"]
    assert (verdict["step"], verdict["reason"]) == (step, reason), verdict["sentence"]
    assert verdict["fix"]
    assert (found["found"], found["known"]) == (False, known)


def test_there_are_more_than_twenty_reasons() -> None:
    assert len(WHY) == len(set(WHY.values())) >= 20


@pytest.mark.parametrize("item_id", [f"good{n}" for n in range(6)])
def test_an_item_that_is_found(shop: TracedShop, item_id: str) -> None:
    found = shop.trace(item_id, code=0)
    assert found["verdict"]["sentence"] == "found by searches: 1 of its 1 photos is in the index of the live release r1"


def test_an_item_is_found_while_one_of_its_photos_is(shop: TracedShop) -> None:
    found = shop.trace("many", code=0)
    assert found["verdict"]["sentence"].startswith("found by searches: 1 of its 3 photos is in the index")
    photos = found["trail"]["photos"]
    assert [photo["verdict"]["reason"] for photo in photos] == ["found", "missing", "not_an_image"]
    assert [row["source"].rpartition(":")[0] for row in found["rows"]] == ["feed.csv"] * 3


def test_the_photo_that_searches_would_look_at_is_the_one_that_is_told(shop: TracedShop) -> None:
    found = shop.trace("both", code=1)
    assert [photo["verdict"]["reason"] for photo in found["trail"]["photos"]] == ["missing", "role_not_searched"]
    sentence = "of its 2 photos none can be found; nowhere.jpg came farthest: missing: there is nothing at the uri"
    assert found["verdict"]["sentence"].startswith(sentence)


def test_who_else_has_a_photo(shop: TracedShop) -> None:
    (photo,) = shop.trace("twin")["trail"]["photos"]
    assert (photo["same"], photo["alike"]) == (["good0"], [])
    (photo,) = shop.trace("twin", "--alike")["trail"]["photos"]
    assert photo["alike"] == ["good0"]


def test_a_photo_is_followed_to_the_index(shop: TracedShop) -> None:
    trail = shop.trace("good4")["trail"]
    (photo,) = trail["photos"]
    assert (photo["code"], photo["in_index"], photo["prep_id"]) == ("", True, "24x16-q95-v2")
    assert photo["split"] in {"train", "val", "test"}
    assert (photo["vector"]["model_id"], photo["vector"]["code"]) == ("m1", "")
    assert len(photo["vector"]["leaves"]) == 3
    assert sum(share for _, share in photo["vector"]["leaves"]) == pytest.approx(1, abs=1e-3)
    assert trail["leaf"] == {"value": "Shoes > Sandals", "slot": 2, "learned": True}
    assert (trail["release_id"], trail["is_live"], trail["catalogue"]) == ("r1", True, 2)


def test_the_words_on_the_screen_are_the_same_facts(shop: TracedShop) -> None:
    lines = shop.traced("green").stdout.splitlines()
    assert lines[-2].startswith("green: its photo green.jpg: nonfinite: the model's embedding of it is not finite")
    assert lines[-1] == "what to do: replace the photo; where it happens to many, train again"
    assert "  vector  none: nonfinite" in lines
    assert any(line.startswith("row       feed.csv:") and "as it was read" in line for line in lines)
    assert "release   r1, live, of run first" in lines


def test_the_feeds_may_be_left_unread(shop: TracedShop) -> None:
    assert shop.trace("good1", code=0)["rows"]
    found = shop.trace("good1", "--no-feeds", code=0)
    assert found["rows"] == []
    assert shop.trace("new delta", "--no-feeds", code=2)["verdict"]["reason"] == "never_named"


def test_ids_are_read_as_the_feed_s_are(shop: TracedShop) -> None:
    assert shop.trace(" \u200bgood1 ", code=0)["item_id"] == "good1"


def test_a_release_that_is_not_there(shop: TracedShop) -> None:
    result = shop.traced("good1", "--release", "r9")
    assert result.exit_code == 1
    assert "holds no release 'r9'" in result.stderr


def test_every_reason_is_in_the_manual() -> None:
    page = (Path(__file__).parents[2] / "docs/tracing.md").read_text(encoding="utf-8")
    said = {*re.findall(r"`([a-z_]+)`", page)}
    own = {reason for step, reason in WHY.values() if step not in {"catalogue", "preprocess"}}
    own |= {"waiting_for_photo", "deleted_by_delta", "deleted_by_row", "not_in_snapshot", "placeholder", *OF_RUNS}
    assert own <= said


def test_every_field_of_the_json_is_in_the_manual(shop: TracedShop) -> None:
    page = (Path(__file__).parents[2] / "docs/tracing.md").read_text(encoding="utf-8")
    said = {*re.findall(r"`([a-z_]+)`", page)}
    found = shop.trace("good1", "--query", str(shop.photos / "good1.jpg"))
    assert {*names_in(found)} <= said


def names_in(value: object) -> Iterator[str]:
    """Yield the names of fields, however deep; those of parts of a score are the config's."""
    if isinstance(value, list):
        for one in value:
            yield from names_in(one)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from () if name == "parts" else names_in(inner)
