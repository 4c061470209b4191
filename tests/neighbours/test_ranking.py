from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from pipelines.models.outputs import AttributeScores, QueryOutputs
from pipelines.models.weights import Weights
from pipelines.neighbours.query.ranking import Ranker, fold, fold_each
from pipelines.neighbours.settings import PlanConfig


@pytest.fixture
def searcher(shop, line):
    return shop(
        line("a", 10, slot=0, attributes=(("colour", "red"),), signals=(("sales", 1.0),)),
        line("b", 20, slot=1, attributes=(("colour", "blue"),), signals=(("sales", 2.0),)),
        line("c", 30, slot=9),
    )


def scores(searcher, outputs, similarities=(0.5, 0.6, 0.7), **plan):
    similarities = np.array(similarities, np.float32)
    return Ranker(searcher.parts, PlanConfig(kind="binary", **plan)).scores(np.arange(3), similarities, outputs, 0)


def outputs(**given):
    return QueryOutputs(np.array([[1, 0]], np.float32), **given)


def test_without_weights_the_similarity_counts(searcher):
    assert np.allclose(scores(searcher, outputs()), [0.5, 0.6, 0.7])


def test_agreement_lifts_disagreement_lowers_and_the_unknown_stays(searcher):
    colour = AttributeScores(["green", "red"], np.array([[0.1, 0.9]], np.float32))
    found = scores(searcher, outputs(attributes={"colour": colour}), attribute_weights={"colour": 0.1})
    # red: .1 x (2 x .9 - 1) = .08; the model does not know blue, c has no colour.
    assert np.allclose(found, [0.58, 0.6, 0.7])
    colour = AttributeScores(["blue", "red"], np.array([[0.1, 0.9]], np.float32))
    found = scores(searcher, outputs(attributes={"colour": colour}), attribute_weights={"colour": 0.1})
    assert np.allclose(found, [0.58, 0.52, 0.7])  # blue: .1 x (2 x .1 - 1) = -.08


def test_an_attribute_that_the_model_does_not_know_cannot_be_weighed(searcher):
    with pytest.raises(
        ValueError, match=r"weighs attribute 'colour', of which the model says nothing \(it knows none\)"
    ):
        scores(searcher, outputs(), attribute_weights={"colour": 0.1})


def test_signals_count_by_rank_among_all(searcher):
    found = scores(searcher, outputs(), signal_weights={"sales": 0.2})
    assert np.allclose(found, [0.5, 0.8, 0.8])  # ranks 0, 1 and the unknown .5


def test_the_category_counts_by_its_probability(searcher):
    probabilities = np.array([[0.25, 0.75]], np.float32)
    found = scores(searcher, outputs(probabilities=probabilities), category_weight=0.2)
    assert np.allclose(found, [0.55, 0.75, 0.7])  # category 9 is newer than the model


LEARNED = Weights(category=0.2, attributes={"colour": 0.1, "brand": 5.0})


def test_what_no_plan_says_is_what_the_model_learned(searcher):
    colour = AttributeScores(["green", "red"], np.array([[0.1, 0.9]], np.float32))
    told = {"attributes": {"colour": colour}, "probabilities": np.array([[0.25, 0.75]], np.float32)}
    asked, similarities = outputs(**told), np.array([0.5, 0.6, 0.7], np.float32)
    unsaid = PlanConfig(kind="binary", category_weight=None, attribute_weights=None)

    def found(weights, plan, asked=asked):
        ranker = Ranker(replace(searcher.parts, weights=weights), plan)
        return ranker.scores(np.arange(3), similarities, asked, 0)

    # The index keeps no brand. Of colours the model knows red, by .8: .1 x .8 = .08.
    assert np.allclose(found(LEARNED, unsaid), [0.5 + 0.05 + 0.08, 0.6 + 0.15, 0.7])
    assert np.allclose(found(LEARNED, replace(unsaid, category_weight=0.0)), [0.5 + 0.08, 0.6, 0.7])
    assert np.allclose(found(LEARNED, replace(unsaid, attribute_weights={})), [0.5 + 0.05, 0.6 + 0.15, 0.7])
    assert np.allclose(found(None, unsaid), [0.5 + 0.05 * 0.25, 0.6 + 0.05 * 0.75, 0.7])
    assert np.allclose(found(LEARNED, unsaid, outputs()), [0.5, 0.6, 0.7])  # another model of the space knows less
    assert np.allclose(found(LEARNED, PlanConfig(kind="binary")), [0.5, 0.6, 0.7])


def test_nothing_comes_before_the_very_photo(searcher):
    probabilities = np.array([[0.0, 1.0]], np.float32)  # the model takes a photo of a for one of b's category
    found = scores(searcher, outputs(probabilities=probabilities), (0.9998, 0.99, 0.7), category_weight=0.2)
    assert np.allclose(found, [1.1901, 1.19, 0.7])
    found = scores(searcher, outputs(probabilities=probabilities), (0.99, 0.9998, 0.7), category_weight=0.2)
    assert np.allclose(found, [0.99, 1.1998, 0.7])  # it is first as it is
    found = scores(searcher, outputs(probabilities=probabilities), (0.999, 0.99, 0.7), category_weight=0.2)
    assert np.allclose(found, [0.999, 1.19, 0.7])  # much alike, and another photo


def test_listings_of_one_photo_are_told_apart_by_the_weights(searcher):
    found = scores(searcher, outputs(), (0.9998, 0.9998, 0.99), signal_weights={"sales": 0.2})
    assert np.allclose(found, [1.0901, 1.2901, 1.09])


def test_weights_for_what_the_index_does_not_keep_are_refused(searcher):
    with pytest.raises(
        ValueError, match=r"weighs attribute 'brand', the index keeps colour: map it in catalogue\.columns\.attributes"
    ):
        Ranker(searcher.parts, PlanConfig(attribute_weights={"brand": 1.0}))
    with pytest.raises(
        ValueError, match=r"weighs signal 'rating', the index keeps sales: map it in catalogue\.columns\.signals"
    ):
        Ranker(searcher.parts, PlanConfig(signal_weights={"rating": 1.0}))


def test_folding_keeps_the_best_of_each_key():
    links, found = fold(np.array([10, 11, 12, 13]), np.array([0.2, 0.9, 0.5, 0.5], np.float32), np.array([1, 2, 1, 3]))
    # Key 2 with .9, then 12 before 13 at .5; link 10 is a worse photo of key 1.
    assert links.tolist() == [11, 12, 13]
    assert np.allclose(found, [0.9, 0.5, 0.5])


def test_queries_fold_apart_from_one_another():
    found = np.array([0.2, 0.9, 0.5, 0.7, 0.7, 0.8], np.float32)
    # Of query 0 key 4 with .9 and key 3 with .5; of query 2 key 3 with .8, then the others at .7 in their order.
    kept = fold_each(found, np.array([3, 4, 3, 4, 0, 3]), np.array([0, 0, 0, 2, 2, 2]))
    assert kept.tolist() == [1, 2, 5, 3, 4]
    assert fold_each(found[:0], np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []


@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_many_queries_score_as_each_alone(searcher, weight):
    rng = np.random.default_rng(0)
    probabilities = rng.random((4, 10)).astype(np.float32)
    asked = QueryOutputs(np.zeros((4, 2), np.float32), probabilities=probabilities)
    ranker = Ranker(searcher.parts, PlanConfig(kind="binary", category_weight=weight))
    links, cuts = np.array([0, 1, 2, 2, 0, 1]), [0, 3, 3, 4, 6]  # the second query has found nothing
    parts = [slice(*bounds) for bounds in pairwise(cuts)]
    similarities = np.array([0.9995, 0.99945, 0.5, 0.4, 0.9999, 0.3], np.float32)
    each = [ranker.scores(links[part], similarities[part], asked, n) for n, part in enumerate(parts)]
    assert ranker.scores_of_each(links, similarities, asked, np.array(cuts)).tolist() == np.concatenate(each).tolist()
    assert not weight or each[2] > 0.4


def test_outputs_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="1 embeddings but 2 hashes: pass one of each a query"):
        outputs(hashes=np.zeros((2, 4), np.uint8))
