import numpy as np
import pytest

from pipelines.models.outputs import AttributeScores, QueryOutputs
from pipelines.models.weights import Weights
from pipelines.neighbours.query.coverage import ScanCoverage, scan_coverage
from pipelines.neighbours.query.exclusion import Exclusion
from pipelines.neighbours.query.plan import QueryPlan
from pipelines.neighbours.settings import PlanConfig

EXACT = PlanConfig(kind="exact")
UNSAID = PlanConfig(kind="exact", category_weight=None, attribute_weights=None)
BINARY = PlanConfig(kind="binary", top_categories=1, category_mass=0.0, depth_min=1, overfetch=1)


@pytest.fixture
def asked(hand_made):
    def outputs(*angles, probabilities=None, **attributes):
        dense = None if probabilities is None else np.array([probabilities] * len(angles), np.float32)
        return QueryOutputs(hand_made.at_angles(*angles), hand_made.angle_code(*angles), dense, attributes)

    return outputs


def ids(hits):
    return [[hit.item_id for hit in of_query] for of_query in hits]


def test_items_come_by_similarity_with_its_cosine(shop, line, asked):
    searcher = shop(line("a", 10), line("b", 40), line("c", 100))
    (hits,) = searcher.search(asked(30), 2, EXACT)
    assert ids([hits]) == [["b", "a"]]
    assert [hit.score for hit in hits] == pytest.approx(np.cos(np.deg2rad([10, 20])), abs=1e-3)  # float16


def test_a_shared_photo_unfolds_into_all_its_items(shop, line, asked):
    searcher = shop(line("b", 10), line("a", 10), line("c", 40))
    assert ids(searcher.search(asked(0), 3, EXACT)) == [["a", "b", "c"]]


def test_an_item_comes_once_with_its_best_photo(shop, line, asked):
    searcher = shop(line("a", 10), line("a", 30, position=1), line("b", 50), line("a", 20, position=2))
    (hits,) = searcher.search(asked(32), 3, EXACT)
    assert [(hit.item_id, hit.image_uri) for hit in hits] == [("a", "a-30.jpg"), ("b", "b-50.jpg")]
    (photos,) = searcher.search(asked(32), 3, PlanConfig(kind="exact", fold="photo"))
    assert [hit.image_uri for hit in photos] == ["a-30.jpg", "a-20.jpg", "b-50.jpg"]


def test_variants_fold_into_the_one_that_agrees_best(shop, line, asked):
    searcher = shop(
        line("red", 10, group_id="g", attributes=(("colour", "red"),)),
        line("blue", 12, group_id="g", attributes=(("colour", "blue"),)),
        line("other", 80),
    )
    plan = PlanConfig(kind="exact", fold="group", attribute_weights={"colour": 0.5})
    colour = AttributeScores(["blue", "red"], np.array([[1, 0]], np.float32))
    assert ids(searcher.search(asked(6, colour=colour), 3, plan)) == [["blue", "other"]]
    assert ids(searcher.search(asked(10), 3, PlanConfig(kind="exact", fold="group"))) == [["red", "other"]]


def test_a_binary_plan_scans_the_best_categories(shop, line, asked):
    searcher = shop(line("a", 10, slot=0), line("b", 12, slot=1), line("c", 50, slot=1), line("d", 60, slot=1))
    found = searcher.search(asked(9, probabilities=[0.2, 0.8]), 1, BINARY)
    assert ids(found) == [["b"]]  # a is nearer, but in the other category
    result = searcher.run(asked(9, probabilities=[0.2, 0.8]), 1, BINARY)
    assert (result.scanned.tolist(), result.depth.tolist(), result.rounds.tolist()) == ([3], [1], [0])
    assert ids(searcher.search(asked(9), 1, BINARY)) == [["a"]]  # no categories: all are scanned


def test_a_binary_plan_looks_beyond_its_categories_for_enough_results(shop, line, asked):
    searcher = shop(line("a", 10, slot=0), line("b", 12, slot=1), line("c", 50, slot=1))
    assert ids(searcher.search(asked(9, probabilities=[0.2, 0.8]), 3, BINARY)) == [["a", "b", "c"]]


def test_neighbours_can_overrule_the_model(shop, line, asked):
    searcher = shop(line("a", 14, slot=0), line("b", 15, slot=0), line("c", 90, slot=1))
    asked_wrongly = asked(9, probabilities=[0.4, 0.6])
    assert ids(searcher.search(asked_wrongly, 1, BINARY)) == [["c"]]
    voting = PlanConfig(**{**vars(BINARY), "vote_weight": 0.5, "vote_neighbours": 2, "vote_kind": "exact"})
    assert ids(searcher.search(asked_wrongly, 1, voting)) == [["a"]]


def test_a_photo_its_variants_and_the_test_split_do_not_vote(shop, line, asked):
    # The query is the photo of "a", of category 0; "d" is its variant. "e" is of the test split. What is left says 1.
    searcher = shop(
        line("a", 9, slot=0, group_id="g"),
        line("a", 14, slot=0, group_id="g", position=1),
        line("d", 15, slot=0, group_id="g"),
        line("e", 16, slot=0, votes=False),
        line("b", 30, slot=1),
    )
    plan = PlanConfig(**{**vars(BINARY), "vote_weight": 1.0, "vote_neighbours": 2, "vote_kind": "exact"})
    assert searcher.run(asked(9, probabilities=[0.6, 0.4]), 1, plan).categories[0].tolist() == [1]
    # A photo that no item shows is told by all that are near it.
    assert searcher.run(asked(12, probabilities=[0.4, 0.6]), 1, plan).categories[0].tolist() == [0]


def test_items_that_a_query_must_not_find_do_not_vote_for_it(shop, line, asked):
    searcher = shop(line("a", 12, slot=0), line("a", 14, slot=0, position=1), line("b", 40, slot=1))
    plan = PlanConfig(**{**vars(BINARY), "vote_weight": 1.0, "vote_kind": "exact"})
    own = [Exclusion(items=np.array([searcher.rows.item("a")]))]
    result = QueryPlan(searcher.parts, plan).run(asked(9, probabilities=[0.9, 0.1]), 1, own)
    assert result.categories[0].tolist() == [1]


def test_categories_are_scanned_up_to_the_mass_that_the_model_was_calibrated_to(shop, line, asked):
    lines = [line("a", 10, slot=0), line("b", 50, slot=1), line("c", 90, slot=2)]
    searcher = shop(*lines, changes={"category_mass": 0.7})
    queries = asked(10, 20, probabilities=[0.6, 0.3, 0.1])
    of_model, of_plan = PlanConfig(**{**vars(BINARY), "category_mass": None}), BINARY
    assert [s.tolist() for s in searcher.run(queries, 1, of_model).categories] == [[0, 1]] * 2
    assert [s.tolist() for s in searcher.run(queries, 1, of_plan).categories] == [[0]] * 2


def test_a_plan_says_how_much_it_scans_and_whether_the_leaf_is_there(shop, line, asked):
    searcher = shop(*(line(f"i{n}", 10 * n, slot=n // 2) for n in range(8)), changes={"trained_slots": np.arange(3)})
    result = searcher.run(asked(0, 10, 20, probabilities=[0.6, 0.3, 0.1, 0.0]), 1, BINARY)
    # Each query scans category 0 and category 3, which nobody learned: 4 of 8 codes.
    binary = searcher.parts.binary
    found = scan_coverage(result, binary.num_codes, binary.slots, [0, 1, 3])
    assert found == ScanCoverage(0.5, pytest.approx(2 / 3), 3)
    assert scan_coverage(result, binary.num_codes, binary.slots, [-1, 9, 0]) == ScanCoverage(0.5, 1.0, 1)
    exact = searcher.run(asked(0, probabilities=[0.6, 0.3, 0.1, 0.0]), 1, EXACT)
    assert scan_coverage(exact, binary.num_codes, binary.slots, [0]) is None


def test_depth_is_a_share_of_what_was_scanned_within_bounds(medium, medium_folder):
    from pipelines.neighbours.query.searcher import Searcher

    searcher = Searcher.open(medium_folder, kinds=("binary",))
    queries = medium.queries(5)
    outputs = QueryOutputs(queries, medium.hash(queries))
    for low, high, depth in ((1, 5_000, 60), (100, 5_000, 100), (1, 30, 30)):  # 1 % of 6,000
        plan = PlanConfig(kind="binary", depth_fraction=0.01, depth_min=low, depth_max=high)
        assert searcher.run(outputs, 1, plan).depth.tolist() == [depth] * 5


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf_pca", "binary"])
def test_k_live_items_are_found_with_nine_in_ten_dead(kind, medium, medium_folder):
    from pipelines.neighbours.query.searcher import Searcher

    alive = set(np.random.default_rng(3).choice(6_000, 600, replace=False).tolist())
    dead = [f"i{i:05}" for i in range(6_000) if i not in alive]
    searcher = Searcher.open(medium_folder, dead_items=dead)
    queries = medium.queries(20)
    probabilities = np.eye(12, dtype=np.float32)[np.argmax(queries @ medium.vectors.T, axis=1) % 12]
    outputs = QueryOutputs(queries, medium.hash(queries), probabilities)
    found = ids(searcher.search(outputs, 20, PlanConfig(kind=kind, top_categories=2)))
    assert all(len(set(of_query)) == 20 and not set(of_query) & set(dead) for of_query in found)
    if kind == "exact":
        rows = np.array(sorted(alive))
        order = np.argsort(-(queries @ medium.vectors[rows].astype(np.float16).astype(np.float32).T), axis=1)[:, :20]
        assert found == [[f"i{rows[i]:05}" for i in of_query] for of_query in order]


def test_fewer_than_k_live_items_are_all_found(medium, medium_folder):
    from pipelines.neighbours.query.searcher import Searcher

    dead = [f"i{i:05}" for i in range(6_000) if i not in (5, 4_000)]
    searcher = Searcher.open(medium_folder, dead_items=dead)
    for kind in ("exact", "hnsw", "ivf_pca", "binary"):
        queries = medium.queries(2)
        found = searcher.search(QueryOutputs(queries, medium.hash(queries)), 10, PlanConfig(kind=kind))
        assert [set(of_query) for of_query in ids(found)] == [{"i00005", "i04000"}] * 2, kind


def test_one_photo_of_very_many_items_does_not_hide_the_others(shop, line, asked):
    searcher = shop(*(line(f"p{i:03}", 10, group_id="placeholder") for i in range(300)), line("a", 50), line("b", 90))
    plan = PlanConfig(kind="exact", fold="group")
    assert ids(searcher.search(asked(10), 3, plan)) == [["p000", "a", "b"]]


def test_signals_reorder_the_pool(shop, line, asked):
    searcher = shop(line("a", 15, signals=(("sales", 1.0),)), line("b", 20, signals=(("sales", 50.0),)))
    plan = PlanConfig(kind="exact", signal_weights={"sales": 0.5}, overfetch=1)
    assert ids(searcher.search(asked(10), 1, plan)) == [["b"]]


def test_plans_that_cannot_run_are_refused(shop, line, asked, hand_made):
    searcher = shop(line("a", 10))
    with pytest.raises(ValueError, match=r"searches 'hnsw', the index holds exact, binary: add 'hnsw' to index\.kinds"):
        searcher.search(asked(0), 1, PlanConfig(kind="hnsw"))
    with pytest.raises(ValueError, match="k is 0: ask for at least one result"):
        searcher.search(asked(0), 0, EXACT)
    with pytest.raises(ValueError, match="a binary plan needs the model's hashes"):
        searcher.search(QueryOutputs(hand_made.at_angles(0)), 1, BINARY)


def test_a_plan_that_says_no_weights_ranks_by_those_in_the_index(shop, line, asked):
    """The angles to 0 are cosines of .985 and .940; the model is sure of blue, and brands are not in the index."""
    lines = (line("red", 10, attributes=(("colour", "red"),)), line("blue", 20, attributes=(("colour", "blue"),)))
    learned = Weights(category=0.0, attributes={"colour": 0.1, "brand": 1.0})
    searcher = shop(*lines, changes={"ranking": learned})
    sure = AttributeScores(["blue", "red"], np.array([[0.9, 0.1]], np.float32))
    outputs = asked(0, colour=sure)
    assert ids(searcher.search(outputs, 2, UNSAID)) == [["blue", "red"]]
    assert ids(searcher.search(outputs, 2, EXACT)) == [["red", "blue"]]
    assert ids(searcher.search(asked(0), 2, UNSAID)) == [["red", "blue"]]  # asked by a model without attributes
    hits, told = searcher.explain(outputs, 1, UNSAID)
    assert (hits[0].item_id, set(told.parts[0])) == ("blue", {"similarity", "attribute colour"})
    assert [hit.item_id for hit in searcher.search_items(["red"], 1, UNSAID)[0]] == ["blue"]
