import numpy as np
import pytest

from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.query.filters import Filter
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.rows import UnknownItemError
from pipelines.neighbours.settings import PlanConfig
from pipelines.tables.apart import Apart
from tests.neighbours.conftest import angle_code, angle_digest, at_angles

EXACT = PlanConfig(kind="exact")


def ids(hits):
    return [[hit.item_id for hit in of_query] for of_query in hits]


@pytest.fixture
def family(shop, line):
    """a: first photo 10; a twin with the same photo, a variant, and three others."""
    return shop(
        line("a", 10),
        line("a", 70, position=1),
        line("twin", 10),
        line("second photo", 70),
        line("variant", 12, group_id="g"),
        line("b", 20),
        line("c", 30, group_id="g"),
    )


def test_similar_items_leave_out_the_item_and_its_duplicates(family):
    assert ids(family.search_items(["a"], 4, EXACT)) == [["variant", "b", "c"]]


def test_similar_items_leave_out_variants(family):
    assert ids(family.search_items(["variant"], 9, EXACT)) == [["a", "twin", "b", "second photo"]]


def test_duplicates_and_variants_can_be_kept(family):
    kept = {"leave_out_duplicates": False, "leave_out_variants": False}
    assert ids(family.search_items(["a", "variant"], 2, EXACT, **kept)) == [["twin", "variant"], ["a", "twin"]]


def test_what_is_not_alike_is_not_shown_for_one_another(family):
    family.keep_apart(Apart(frozenset({("a", "b"), ("b", "variant"), ("c", "unknown")})))
    assert ids(family.search_items(["a", "b"], 9, EXACT)) == [["variant", "c"], ["c", "twin", "second photo"]]
    family.keep_apart(Apart())
    assert ids(family.search_items(["a"], 9, EXACT)) == [["variant", "b", "c"]]


def photo(*angles):
    return QueryOutputs(at_angles(*angles), angle_code(*angles), None, {})


def test_an_items_own_photo_does_not_find_what_is_not_alike(family):
    """Of photo 10, which a and twin show, a is kept from b; of photo 70 its second photo is; 40 is nobody's."""
    family.keep_apart(Apart(frozenset({("a", "b")})))
    found = ids(family.search(photo(10, 70, 20, 40), 9, EXACT))
    assert ["b" in of_query for of_query in found] == [False, False, True, True]
    assert "a" not in found[2]
    assert len(found[0]) == 5
    only = Filter(in_stock=True)
    assert "b" not in ids(family.search(photo(10), 9, EXACT, [only]))[0]
    assert "b" not in [hit.item_id for hit in family.explain(photo(10), 9, EXACT)[0]]


def test_a_standing_tells_what_is_kept_apart(family):
    family.keep_apart(Apart(frozenset({("a", "b")})))
    steps = [family.standing(photo(angle), "b", 9, EXACT).step for angle in (10, 40)]
    assert steps == ["apart", "shown"]


def test_items_that_show_one_photo_are_both_found_by_it(family):
    family.keep_apart(Apart(frozenset({("a", "twin")})))
    assert {*ids(family.search(photo(10), 2, EXACT))[0]} == {"a", "twin"}
    assert "twin" not in ids(family.search(photo(70), 9, EXACT))[0]


def test_an_item_and_a_photo_are_kept_from_one_another(family):
    """b's photo alone: what finds c by it, or by c, has lost it; b is found by no photo but this."""
    family.keep_apart(Apart(photos=frozenset({("a", angle_digest(20).hex()), ("a", "ab" * 32)})))
    assert "a" not in ids(family.search(photo(20), 9, EXACT))[0]
    assert "a" not in ids(family.search_items(["b"], 9, EXACT))[0]
    assert "b" not in ids(family.search_items(["a"], 9, EXACT))[0]
    assert "b" not in ids(family.search(photo(10), 9, EXACT))[0]
    assert "b" in ids(family.search_items(["c"], 9, EXACT))[0]


@pytest.mark.parametrize("kind", ["hnsw", "ivf_pca", "binary"])
def test_every_kind_keeps_pairs_apart(kind, medium_folder, medium):
    plan = PlanConfig(kind=kind, top_categories=3)
    searcher = Searcher.open(medium_folder)
    [before] = searcher.search_items(["i00000"], 10, plan)
    apart = Apart(frozenset(("i00000", hit.item_id) for hit in before))
    [after] = Searcher.open(medium_folder, apart=apart).search_items(["i00000"], 10, plan)
    assert len(after) == 10
    assert not {hit.item_id for hit in after} & {hit.item_id for hit in before}


def test_unknown_items_are_refused(family):
    with pytest.raises(UnknownItemError, match="item 'z' is not in the index"):
        family.search_items(["a", "z"], 1, EXACT)


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf_pca", "binary"])
def test_many_items_at_once_equal_one_at_a_time(kind, medium_folder, medium):
    searcher = Searcher.open(medium_folder)
    plan = PlanConfig(kind=kind, top_categories=3)
    asked = [f"i{i:05}" for i in range(0, 6_000, 150)]
    together = searcher.search_items(asked, 10, plan)
    assert together == [searcher.search_items([item], 10, plan)[0] for item in asked]
    assert all(
        len(hits) == 10 and item not in {h.item_id for h in hits} for item, hits in zip(asked, together, strict=True)
    )


def test_the_category_of_an_item_directs_its_binary_search(shop, line):
    lines = (line("a", 10, slot=0), line("b", 11, slot=1), line("c", 40, slot=0))
    plan = PlanConfig(kind="binary", top_categories=1, depth_min=2)
    assert ids(shop(*lines).search_items(["a"], 1, plan)) == [["c"]]


def test_what_the_model_said_of_a_photo_is_fused_with_its_listing(shop, line):
    lines = (line("a", 10, slot=0), line("b", 11, slot=1), line("c", 40, slot=0))
    tops = {"top_slots": np.array([[1, 0]] * 3), "top_probabilities": np.array([[0.75, 0.25]] * 3)}
    searcher = shop(*lines, changes=tops)
    outputs = searcher.stored_outputs(np.array([0]), PlanConfig(kind="binary"))
    # Listed 0: .5 + .5 x .25; the model's 1: .5 x .75.
    assert np.allclose(outputs.probabilities, [[0.625, 0.375]])
    assert outputs.hashes.shape == (1, 45)


def test_attributes_of_an_item_ask_for_their_like(shop, line):
    searcher = shop(
        line("a", 10, attributes=(("colour", "red"),)),
        line("b", 12, attributes=(("colour", "blue"),)),
        line("c", 20, attributes=(("colour", "red"),)),
        line("d", 14),
    )
    plan = PlanConfig(kind="exact", attribute_weights={"colour": 0.5})
    assert ids(searcher.search_items(["a"], 3, plan)) == [["c", "d", "b"]]
    assert ids(searcher.search_items(["d"], 3, plan)) == [["b", "a", "c"]]  # no colour: 2, 4 and 6 degrees away


def test_only_the_named_kinds_are_opened(medium_folder, medium):
    searcher = Searcher.open(medium_folder, kinds=("ivf_pca",))
    outputs = QueryOutputs(medium.queries(1))
    assert len(searcher.search(outputs, 3, PlanConfig(kind="ivf_pca"))[0]) == 3
    assert len(searcher.search(outputs, 3, EXACT)[0]) == 3  # the vectors are always there
    with pytest.raises(ValueError, match="the index holds exact, ivf_pca"):
        searcher.search(outputs, 3, PlanConfig(kind="hnsw"))


def test_no_queries_give_no_answers(medium_folder):
    searcher = Searcher.open(medium_folder)
    assert searcher.search(QueryOutputs(np.zeros((0, 512), np.float32)), 5, EXACT) == []
    assert searcher.search_items([], 5, EXACT) == []


def test_every_plan_finds_nearly_what_exact_search_finds(medium_folder, medium):
    searcher = Searcher.open(medium_folder)
    queries = medium.queries(150)
    nearest = medium.slots[np.argmax(queries @ medium.vectors.T, axis=1)]
    outputs = QueryOutputs(queries, medium.hash(queries), np.eye(12, dtype=np.float32)[nearest])
    truth = ids(searcher.search(outputs, 10, EXACT))
    # Binary keeps 1 % of the 6,000 codes scanned.
    for plan, least in (
        (PlanConfig(kind="hnsw"), 0.98),
        (PlanConfig(kind="ivf_pca"), 0.98),
        (PlanConfig(kind="binary", top_categories=12, depth_min=1), 0.97),
    ):
        found = ids(searcher.search(outputs, 10, plan))
        recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, truth, strict=True)])
        assert recall >= least, plan.kind
