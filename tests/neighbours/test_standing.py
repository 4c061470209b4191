"""Where an item stands in the plan of a query: at which step it falls out, by hand and beside what searches say."""

import numpy as np
import pytest

from pipelines.models.outputs import AttributeScores, QueryOutputs
from pipelines.neighbours.query.filters import Filter
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.query.standing import Stander
from pipelines.neighbours.settings import PlanConfig

BINARY = PlanConfig(kind="binary", top_categories=1, category_mass=0.0, depth_min=1, overfetch=1)


@pytest.fixture
def asked(hand_made):
    def outputs(angle, probabilities=None, **attributes):
        dense = None if probabilities is None else np.array([probabilities], np.float32)
        return QueryOutputs(hand_made.at_angles(angle), hand_made.angle_code(angle), dense, attributes)

    return outputs


def standing(searcher, outputs, item_id, plan, k=1):
    return Stander(searcher.parts, plan, outputs, k).standing(searcher.rows.item(item_id))


def test_a_category_that_is_not_scanned(shop, line, asked) -> None:
    searcher = shop(line("a", 10, slot=0), line("b", 12, slot=1), line("c", 50, slot=1))
    found = standing(searcher, asked(9, [0.2, 0.8]), "a", BINARY)
    assert (found.step, found.slots, found.mass) == ("category", (1,), 0.0)
    assert found.probability == pytest.approx(0.2)
    (photo,) = found.photos
    # The nearest of all, by one degree and one bit, in a category that nobody looks in.
    assert (photo.slot, photo.scanned, photo.distance, photo.near, photo.exact_rank) == (0, False, 1, None, 1)
    assert (found.last, found.results, found.rank) == ("b", 1, 1)


def test_a_code_beyond_the_depth(shop, line, asked) -> None:
    searcher = shop(line("a", 10), line("b", 12), line("c", 50), line("d", 60))
    found = standing(searcher, asked(9), "c", BINARY)
    (photo,) = found.photos
    assert (found.step, found.scanned, found.depth) == ("depth", 4, 1)
    assert (photo.distance, photo.near, photo.exact_rank) == (41, 3, 3)
    assert photo.similarity == pytest.approx(np.cos(np.deg2rad(41)), abs=1e-3)


def test_a_photo_within_the_depth_of_which_others_are_more_similar(shop, line, asked) -> None:
    searcher = shop(line("a", 10), line("b", 12), line("c", 50))
    plan = PlanConfig(**{**vars(BINARY), "depth_min": 3})
    found = standing(searcher, asked(9), "c", plan)
    assert (found.step, found.depth, found.fetch, found.photos[0].near) == ("fetch", 3, 1, 3)


def test_a_variant_behind_the_one_that_stands_for_its_group(shop, line, asked) -> None:
    searcher = shop(line("red", 10, group_id="g"), line("blue", 12, group_id="g"), line("other", 80))
    plan = PlanConfig(kind="exact", fold="group")
    found = standing(searcher, asked(9), "blue", plan, k=2)
    assert (found.step, found.before, found.rank) == ("fold", "red", 1)
    assert standing(searcher, asked(9), "red", plan, k=2).step == "shown"


def test_a_rank_beyond_the_last_that_is_shown_and_what_the_weights_did(shop, line, asked) -> None:
    lines = [line("near", 12, attributes=(("colour", "red"),)), line("blue", 40, attributes=(("colour", "blue"),))]
    searcher = shop(*lines)
    colour = AttributeScores(["blue", "red"], np.array([[0.9, 0.1]], np.float32))
    plan = PlanConfig(kind="exact", attribute_weights={"colour": 0.5})
    found = standing(searcher, asked(9, colour=colour), "near", plan)
    # By the photo it is the first; .5 x (2 x .1 - 1) takes .4 away, and the other gets as much.
    assert (found.step, found.rank, found.results, found.last) == ("rank", 2, 1, "blue")
    assert found.photos[0].exact_rank == 1
    assert found.parts == pytest.approx({"similarity": np.cos(np.deg2rad(3)), "attribute colour": -0.4}, abs=1e-3)
    assert found.score == pytest.approx(sum(found.parts.values()))
    assert found.last_score == pytest.approx(np.cos(np.deg2rad(31)) + 0.4, abs=1e-3)


def test_the_best_of_several_photos_counts_and_each_is_told(shop, line, asked) -> None:
    searcher = shop(line("a", 100), line("a", 20, position=1), line("b", 10), line("c", 30))
    found = standing(searcher, asked(9), "a", PlanConfig(kind="exact"), k=2)
    assert (found.step, found.rank) == ("shown", 2)
    assert [(photo.image_uri, photo.exact_rank) for photo in found.photos] == [("a-100.jpg", 4), ("a-20.jpg", 2)]


def test_a_photo_that_is_not_looked_at_takes_no_place(shop, line, asked) -> None:
    # By its code the second photo of "a" is the nearest but one, and one is looked at; the first is not similar at all.
    searcher = shop(line("b", 10), line("a", 12), line("a", 200, position=1), line("c", 14))
    plan = PlanConfig(**{**vars(BINARY), "depth_min": 2, "overfetch": 2})
    found = standing(searcher, asked(9), "a", plan, k=1)
    assert [(photo.near, photo.looked_at) for photo in found.photos] == [(2, True), (4, False)]
    assert (found.step, found.rank, found.last) == ("rank", 2, "b")
    other = standing(searcher, asked(9), "c", plan, k=1)
    assert (other.step, other.rank, other.score) == ("depth", 3, pytest.approx(np.cos(np.deg2rad(5)), abs=1e-3))


def test_a_search_that_looks_everywhere_in_the_end(shop, line, asked) -> None:
    searcher = shop(line("a", 10, slot=0), line("b", 12, slot=1), line("c", 50, slot=1))
    found = standing(searcher, asked(9, [0.2, 0.8]), "a", BINARY, k=3)
    assert (found.step, found.rank) == ("shown", 1)
    assert found.rounds


def test_what_an_approximate_index_misses_is_told_from_what_is_less_similar(medium, medium_folder) -> None:
    searcher = Searcher.open(medium_folder)
    plan = PlanConfig(kind="ivf_pca")
    vectors = medium.queries(40, seed=5)
    steps = set()
    for query in range(40):
        outputs = QueryOutputs(vectors[[query]])
        stander = Stander(searcher.parts, plan, outputs, 10)
        # By hand: the order of all photos by similarity, as they are stored.
        similarity = np.asarray(searcher.vectors, np.float32) @ vectors[query]
        order = np.argsort(-similarity, kind="stable")
        for place in (0, 19, 20, 300):
            item = int(searcher.rows.link_item[searcher.rows.link_offsets[order[place]]])
            found = stander.standing(item)
            assert (found.photos[0].exact_rank, found.fetch) == (place + 1, 20)
            steps.add((place, found.step))
    assert {step for place, step in steps if place >= 20} == {"fetch"}
    assert {step for place, step in steps if place == 0} <= {"shown", "approximate"}
    assert {step for place, step in steps if place == 19} <= {"rank", "approximate"}


@pytest.mark.parametrize(
    "plan",
    [
        PlanConfig(kind="exact"),
        PlanConfig(kind="ivf_pca"),
        PlanConfig(kind="hnsw", fold="photo"),
        PlanConfig(kind="binary", top_categories=2, category_mass=0.5, depth_min=20, category_weight=0.3),
    ],
    ids=lambda plan: plan.kind,
)
def test_what_stands_among_the_shown_is_what_a_search_shows(plan, medium, medium_folder) -> None:
    searcher = Searcher.open(medium_folder)
    queries = medium.queries(2, seed=11)
    probabilities = np.random.default_rng(0).dirichlet(np.ones(12), 2).astype(np.float32)
    for query in range(2):
        outputs = QueryOutputs(queries[[query]], medium.hash(queries[[query]]), probabilities[[query]])
        (hits,) = searcher.search(outputs, 12, plan)
        stander = Stander(searcher.parts, plan, outputs, 12)
        shown = {hit.item_id: rank for rank, hit in enumerate(hits, 1)}
        assert len(shown) == 12
        for rank, hit in enumerate(hits, 1):
            found = stander.standing(searcher.rows.item(hit.item_id))
            assert (found.step, found.rank, found.last) == ("shown", rank, hits[-1].item_id)
            assert found.photos[0].similarity == pytest.approx(hit.score)
        some = np.random.default_rng(query).choice(6_000, 40, replace=False)
        for number in some:
            item_id = f"i{number:05}"
            assert (stander.standing(searcher.rows.item(item_id)).step == "shown") == (item_id in shown)


@pytest.mark.parametrize(("few_rows", "step"), [(0, "fetch"), (20_000, "rank")])
def test_a_filter_that_leaves_it_out_and_the_rank_among_what_it_leaves(
    shop, line, asked, few_rows, step, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it leaves few photos they are all compared; else the plan looks as it does without one: at two, for one."""
    for module in ("plan", "standing"):
        monkeypatch.setattr(f"pipelines.neighbours.query.{module}.FEW_ROWS", few_rows)
    red, blue = ({"attributes": (("colour", colour),)} for colour in ("red", "blue"))
    searcher = shop(line("a", 10, **blue), line("b", 12, **red), line("c", 50, **red), line("d", 60, **blue))
    wanted, plan = Filter(attributes={"colour": frozenset({"red"})}), PlanConfig(kind="exact")
    outside = searcher.standing(asked(9), "a", 1, plan, wanted)
    assert (outside.step, outside.photos[0].exact_rank, outside.last) == ("filter", 1, "b")
    beyond = searcher.standing(asked(9), "c", 1, plan, wanted)
    assert (beyond.step, beyond.rank, beyond.photos[0].exact_rank) == (step, 2, 3)
    found = searcher.search(asked(9), 2, plan, [wanted])[0]
    for rank, hit in enumerate(found, 1):
        inside = searcher.standing(asked(9), hit.item_id, 2, plan, wanted)
        assert (inside.step, inside.rank) == ("shown", rank)
