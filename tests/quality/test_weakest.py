"""The weakest matches of a release, worked out by hand."""

import json
from typing import Any

import pytest

from pipelines.curated import Curated
from pipelines.curated.entries import BAD_PHOTO, CATEGORY, NOT_ALIKE, Decision, Entry
from pipelines.hidden import Hidden, HiddenItem
from pipelines.quality.command import as_lines, told
from pipelines.quality.findings import LONELY, MISLABELLED, SAME_LOOK, Weakest
from pipelines.quality.page import render_page
from pipelines.quality.weakest import find_weakest
from tests.quality.conftest import World, digest_of

BOOTS, BAGS = "Shoes > Boots", "Bags"


@pytest.fixture
def shop(world: World) -> World:
    """Boots a to d; e is listed as a bag and looks like boots; f is a bag that looks like nothing much."""
    for n, (one, others) in enumerate((("a", "bcde"), ("b", "acde"), ("c", "abde"), ("d", "abce"), ("e", "abcf"))):
        scores = (0.9 + n / 100, 0.8, 0.7, 0.6)
        world.add(one, BAGS if one == "e" else BOOTS, list(zip(others, scores, strict=True)))
    world.add("f", BAGS, [("e", 0.3), ("a", 0.2)])
    world.write()
    return world


def weakest(world: World, most: int = 10, hidden: Hidden | None = None) -> Weakest:
    return find_weakest(world.store, world.release, ("main",), hidden or Hidden(), most)


def test_the_least_similar_of_all_first_results_are_first(shop: World) -> None:
    found = weakest(shop).findings[LONELY]
    assert [(one.item.item_id, one.other.item_id, round(one.score, 3)) for one in found[:2]] == [
        ("f", "e", 0.3),
        ("a", "b", 0.9),
    ]
    assert (found[0].item.title, found[0].item.category) == ("the f", ("Bags",))
    assert found[0].item.digest == digest_of("f.jpg").hex()
    assert len(weakest(shop, 2).findings[LONELY]) == 2


def test_who_stands_among_another_category_is_told_how_sure_that_is(shop: World) -> None:
    """e: (.94 + .8 + .7 - .6) / 4 for boots, three of four. f has but two similar items, one of them a boot."""
    [one] = weakest(shop).findings[MISLABELLED]
    assert (one.item.item_id, one.category, one.other.item_id, one.share) == ("e", ("Shoes", "Boots"), "a", 0.75)
    assert one.score == pytest.approx(0.46, abs=1e-6)
    assert one.actions[0].words == ("category", "e", BOOTS)
    assert one.actions[1].words == ("category", "e", BAGS)


def test_a_category_above_or_below_is_no_other(world: World) -> None:
    for one in "abcd":
        others = [other for other in "abcde" if other != one]
        world.add(one, BOOTS, [(other, 0.9) for other in others])
    world.add("e", "Shoes", [(other, 0.9) for other in "abcd"], ("e.jpg", 5))
    world.add("f", BOOTS, [("a", 0.9)], ("f.jpg", 5))
    world.write()
    assert weakest(world).findings[MISLABELLED] == weakest(world).findings[SAME_LOOK] == []


def test_equal_photos_of_two_categories_come_before_near_ones(world: World) -> None:
    """One photo of a and b; c differs from these in two bits, d in three; e has c's look and c's category."""
    look = 0x0123456789ABCDEF
    photos = {"a": (BOOTS, "p.jpg", look), "b": (BAGS, "p.jpg", look), "c": (BAGS, "c.jpg", look ^ 0x8001)}
    photos |= {"d": ("Hats", "d.jpg", look ^ 0x4003), "e": (BAGS, "e.jpg", look ^ 0x8001)}
    for one, (leaf, uri, bits) in photos.items():
        world.add(one, leaf, [], (uri, bits))
    world.write()
    found = weakest(world).findings[SAME_LOOK]
    pairs = [({one.item.item_id, one.other.item_id}, one.score, one.is_same_photo) for one in found]
    assert pairs[0] == ({"a", "b"}, 0, True)
    assert len(pairs) == 2
    assert pairs[1][0] in ({"a", "c"}, {"a", "e"})  # one stands for the look in its category
    assert pairs[1][1:] == (2, False)


def test_hidden_items_are_left_out(shop: World) -> None:
    found = weakest(shop, hidden=Hidden(1, {"e": HiddenItem("sold", "", "")}))
    assert found.of == 5
    named = {one.item_id for kind in found.findings.values() for row in kind for one in (row.item, row.other)}
    assert "e" not in named
    assert found.findings[MISLABELLED] == []


@pytest.mark.parametrize(
    ("decision", "left"),
    [
        (Decision(CATEGORY, ("e",), ("Bags",)), {LONELY: "fabcde", MISLABELLED: ""}),
        (Decision(NOT_ALIKE, ("e", "f")), {LONELY: "abcde", MISLABELLED: "e"}),
        (Decision(BAD_PHOTO, ("f",), image_uri="f.jpg", digest=digest_of("f.jpg").hex()), {LONELY: "abcde"}),
        (Decision(BAD_PHOTO, ("f",), image_uri="f.jpg"), {LONELY: "abcde"}),
        (Decision(BAD_PHOTO, digest=digest_of("e.jpg").hex()), {LONELY: "fabcd", MISLABELLED: ""}),
    ],
)
def test_what_is_decided_is_not_told_again(shop: World, decision: Decision, left: dict[str, str]) -> None:
    curated = Curated().after(Entry(decision, "", "", ""))
    found = weakest(shop).undecided(curated, 10).findings
    for kind, ids in left.items():
        assert [one.item.item_id for one in found[kind]] == list(ids)
    assert len(weakest(shop).undecided(curated, 1).findings[LONELY]) == 1


def test_a_release_without_a_table_or_a_run_says_so(world: World) -> None:
    world.add("a", BOOTS, [])
    world.write()
    world.release.run_id = ""
    found = weakest(world)
    assert [note.partition(":")[0] for note in found.notes] == [
        "the release has no table of similar items (index.similar = 0)",
        "the run of the release is gone",
    ]


def test_ids_are_typed_so_that_a_shell_takes_them(world: World) -> None:
    for one in ("-k", "b c'd"):
        world.add(one, BOOTS, [(other, 0.1) for other in ("-k", "b c'd") if other != one])
    world.write()
    lines = "\n".join(told(weakest(world), "my shop.toml"))
    assert "\\n" not in lines
    assert "curate bad-photo --config 'my shop.toml' --reason 'WHY' -- -k -k.jpg" in lines
    assert "curate not-alike --config 'my shop.toml' --reason 'WHY' -- -k 'b c'\"'\"'d'" in lines


def test_for_programs_it_is_a_line_a_finding(shop: World) -> None:
    rows = [json.loads(line) for line in as_lines(weakest(shop))]
    assert [row["kind"] for row in rows] == [*[LONELY] * 6, MISLABELLED]
    assert rows[-1]["category"] == ["Shoes", "Boots"]
    assert rows[-1]["item"]["item_id"] == "e"


def test_the_page_shows_pictures_side_by_side_and_what_a_shop_writes_is_text(world: World) -> None:
    evil = "<script>alert(1)</script>"
    world.add(evil, BOOTS, [("b", 0.1)])
    world.add("b", BAGS, [(evil, 0.1)])
    world.write()

    class Pictures:
        def of_photo(self, item_id: str, _: str) -> str:
            return "" if item_id == "b" else "data:image/jpeg;base64,AAAA"

    pictures: Any = Pictures()
    page = render_page(weakest(world), pictures, "shop.toml")
    assert evil not in page
    assert page.count("data:image/jpeg;base64,AAAA") == 2
    assert page.count("no picture") == 2
    assert "visual-search curate not-alike --config shop.toml" in page
    assert page.count("Nothing is left to decide.") == 2
