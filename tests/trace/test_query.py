"""The step of a search at which an item falls out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.curated.change import note
from pipelines.curated.entries import NOT_ALIKE, UNDO, Decision
from tests.trace.missing import SECTIONS
from tests.trace.shop import TracedShop


def searching(shop: TracedShop, **search: Any) -> TracedShop:
    """The shop as a config with other settings of searches sees it."""
    name = "-".join(f"{key}-{value}" for key, value in search.items())
    other = TracedShop(shop.root, f"{name}.toml")
    other.write_config(**SECTIONS, search=search)
    return other


def asked(shop: TracedShop, item_id: str, photo: str, k: int, code: int = 1) -> dict[str, Any]:
    return shop.trace(item_id, "--query", str(shop.photos / photo), "-k", str(k), code=code)


def searched(shop: TracedShop, photo: str, k: int) -> list[str]:
    results = json.loads(shop.cli("search", "--json", "-k", str(k), str(shop.photos / photo)).stdout)["results"]
    return [result["item_id"] for result in results]


def test_what_is_shown_is_found_at_the_rank_that_search_gives_it(shop: TracedShop) -> None:
    for rank, item_id in enumerate(searched(shop, "good3.jpg", 4), 1):
        found = asked(shop, item_id, "good3.jpg", 4, code=0)
        assert (found["verdict"]["step"], found["verdict"]["reason"]) == ("query", "found")
        assert found["query"]["standing"]["rank"] == rank
    assert searched(shop, "good3.jpg", 1) == ["good3"]


def test_a_rank_beyond_the_last_that_is_shown(shop: TracedShop) -> None:
    order = searched(shop, "good3.jpg", 100)
    found = asked(shop, order[4], "good3.jpg", 2)
    standing = found["query"]["standing"]
    assert (found["verdict"]["reason"], standing["rank"], standing["results"]) == ("beyond_results", 5, 2)
    assert (standing["last"], standing["parts"].keys()) == (order[1], {"similarity", "category"})
    assert standing["score"] < standing["last_score"]
    assert found["verdict"]["fix"].startswith("ask for more results (-k 5)")


def test_a_category_that_is_not_scanned(shop: TracedShop) -> None:
    one = searching(shop, categories=1, category_mass=0.0)
    leaves = shop.trace("good3")["trail"]["photos"][0]["vector"]["leaves"]
    other = next(n for n in range(6) if shop.trace(f"good{n}")["trail"]["leaf"]["value"] == leaves[-1][0])
    found = asked(one, f"good{other}", "good3.jpg", 1)
    query = found["query"]
    assert found["verdict"]["reason"] == "category_not_scanned"
    assert (query["categories"], query["leaf"]) == ([leaves[0][0]], leaves[-1][0])
    assert query["standing"]["probability"] == pytest.approx(leaves[-1][1], abs=0.01)
    assert "raise search.categories or search.category_mass" in found["verdict"]["fix"]
    told = one.traced(f"good{other}", "--query", str(one.photos / "good3.jpg"), "-k", "1").stdout
    (score,) = (line for line in told.splitlines() if line.startswith("score"))
    assert score.endswith(f", not ranked: rank {query['standing']['rank']} at best")


def test_a_code_beyond_the_depth(shop: TracedShop) -> None:
    last = searched(shop, "good3.jpg", 100)[-1]
    found = asked(searching(shop, depth=1), last, "good3.jpg", 1)
    standing = found["query"]["standing"]
    assert (found["verdict"]["reason"], standing["depth"]) == ("beyond_depth", 1)
    assert standing["photos"][0]["near"] > 1
    assert found["verdict"]["fix"] == "raise search.depth"


def test_a_photo_that_others_are_more_alike_than(shop: TracedShop) -> None:
    plain = searching(shop, candidates="exact", category_weight=0.0)
    order = searched(plain, "good3.jpg", 100)
    found = asked(plain, order[-1], "good3.jpg", 1)
    standing = found["query"]["standing"]
    assert (found["verdict"]["reason"], standing["fetch"]) == ("less_similar", 2)
    assert standing["photos"][0]["exact_rank"] == len(order) - 2  # two photos are of two items each


def test_a_variant_behind_another(shop: TracedShop) -> None:
    folding = searching(shop, unit="group")
    found = asked(folding, "dress1", "dress0.jpg", 5)
    assert (found["verdict"]["reason"], found["query"]["standing"]["before"]) == ("folded", "dress0")
    assert "'dress0' of the same group stands for it, at rank 1" in found["verdict"]["sentence"]
    told = folding.trace("dress1", code=0)["verdict"]["sentence"]
    assert told.endswith("; of its group 'dress' a search shows one item (search.unit)")
    assert "search.unit" not in folding.trace("good1", code=0)["verdict"]["sentence"]


def test_what_curators_keep_from_the_item_of_a_photo(shop: TracedShop) -> None:
    own, other = searched(shop, "good3.jpg", 2)
    one, two = sorted((own, other))
    noted = note(shop.store, Decision(NOT_ALIKE, (one, two)), "another heel", "ann@box")
    try:
        found = asked(shop, other, "good3.jpg", 4)
    finally:
        note(shop.store, Decision(UNDO, undoes=noted.number), "", "ann@box")
    verdict = found["verdict"]
    assert (verdict["step"], verdict["reason"]) == ("query", "not_alike")
    assert f"decision {noted.number}, by ann@box: another heel" in verdict["sentence"]
    assert f"`{shop.typed('curate').replace('curate', 'curate undo', 1)} {noted.number}`" in verdict["fix"]
    assert other in searched(shop, "good3.jpg", 2)


def test_what_is_no_photo(shop: TracedShop) -> None:
    found = asked(shop, "good1", "page.jpg", 5)
    assert (found["verdict"]["step"], found["verdict"]["reason"]) == ("query", "not_an_image")
    assert found["query"]["standing"] is None


def test_an_item_in_no_index_keeps_its_own_reason(shop: TracedShop) -> None:
    found = asked(shop, "green", "good1.jpg", 5)
    assert (found["verdict"]["reason"], found["query"]["code"]) == ("nonfinite", "not_asked")
    told = "the query was not asked, because searches cannot find the item: it fell out before (embed, nonfinite)"
    assert found["query"]["detail"] == told
    assert f"          {told}" in shop.traced("green", "--query", str(shop.photos / "good1.jpg")).stdout.splitlines()


def test_the_words_on_the_screen(shop: TracedShop, tmp_path: Path) -> None:
    photo = tmp_path / "a photo.jpg"
    photo.write_bytes((shop.photos / "good3.jpg").read_bytes())
    lines = shop.traced("good3", "--query", str(photo)).stdout.splitlines()
    assert f"query     {photo}" in lines
    assert any(line.startswith("scanned   3 categories: ") for line in lines)
    assert any("good3.jpg: 0 bits apart, its code number 1 of those scanned, similarity 1.0" in line for line in lines)
    assert lines[-1].startswith("good3: found by this search, at rank 1 with a score of 1.")
