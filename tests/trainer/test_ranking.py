"""What each likeness is worth, on photos of which we know what tells them apart."""

from __future__ import annotations

import numpy as np

from trainer.ranking import LEAST_QUERIES, HeldOut, Ranking, learn_ranking

LEAF, COLOUR, SHAPE = "leaf", "attr_colour", "attr_shape"
ATTRIBUTES = {"colour": COLOUR, "shape": SHAPE}


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def seen(rng: np.random.Generator, slots: np.ndarray, classes: int, sure: float) -> np.ndarray:
    """Probabilities of a model that has the right class with the weight `sure`, beside noise."""
    raw = rng.random((len(slots), classes)) ** 4 + sure * np.eye(classes)[slots]
    return (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)


def photos(count: int = 1200, colour_seen: float = 2.0, seed: int = 0) -> HeldOut:
    """Vectors tell leaves apart, colours are seen as asked, and shapes not at all."""
    rng = np.random.default_rng(seed)
    leaf, colour, shape = rng.integers(0, 8, count), rng.integers(0, 6, count), rng.integers(0, 4, count)
    vectors = unit(rng.normal(size=(8, 64))[leaf] + 1.2 * rng.normal(size=(count, 64)))
    slots = {LEAF: leaf, COLOUR: np.where(rng.random(count) < 0.2, -1, colour), SHAPE: shape}
    probabilities = {
        LEAF: seen(rng, leaf, 8, 1.0),
        COLOUR: seen(rng, colour, 6, colour_seen),
        SHAPE: seen(rng, rng.permutation(shape), 4, 1.0),
    }
    return HeldOut(vectors, probabilities, slots)


def learned(held_out: HeldOut) -> Ranking:
    found = learn_ranking(held_out, LEAF, ATTRIBUTES)
    assert found is not None
    return found


def test_what_is_seen_weighs_and_what_is_not_does_not() -> None:
    found = learned(photos())
    assert found.photos == 1200
    assert list(found.attributes) == ["colour", "shape"]
    assert found.attributes["colour"] > 0.05
    assert found.attributes["shape"] < 0.2 * found.attributes["colour"]
    assert found.category > 0


def test_it_ranks_better_what_it_has_not_seen() -> None:
    weights, others = learned(photos(seed=0)), photos(seed=1)
    cosines = others.unit @ others.unit.T
    np.fill_diagonal(cosines, -2)
    leaf, colour = others.slots[LEAF], others.slots[COLOUR]

    def shares(scores: np.ndarray) -> tuple[float, float]:
        first = np.argsort(-scores, axis=1)[:, :10]
        same = leaf[first] == leaf[:, None]
        known = colour >= 0
        return float(same.mean()), float((same & (colour[first] == colour[:, None]))[known].mean())

    likely = others.probabilities[LEAF][:, leaf]
    shown = np.where(colour >= 0, 2 * others.probabilities[COLOUR][:, np.maximum(colour, 0)] - 1, 0)
    plain = shares(cosines)
    weighted = shares(cosines + weights.category * likely + weights.attributes["colour"] * shown)
    assert weighted[0] > plain[0] - 0.01
    assert weighted[1] > plain[1] + 0.1


def test_copies_of_a_photo_are_no_results() -> None:
    held_out = photos(600)
    twice = HeldOut(
        np.repeat(held_out.unit, 2, axis=0),
        {name: np.repeat(values, 2, axis=0) for name, values in held_out.probabilities.items()},
        {name: np.repeat(values, 2) for name, values in held_out.slots.items()},
    )
    once, again = learned(held_out), learned(twice)
    assert again.attributes["colour"] > 0.5 * once.attributes["colour"]  # a copy would be first without it


def test_too_few_photos_or_nothing_to_be_seen_learn_nothing() -> None:
    assert learn_ranking(photos(LEAST_QUERIES - 1), LEAF, ATTRIBUTES) is None
    unknown = photos()
    unknown.slots[LEAF][:] = -1
    assert learn_ranking(unknown, LEAF, ATTRIBUTES) is None
    empty = photos(0)
    assert learn_ranking(empty, LEAF, ATTRIBUTES) is None
    rng, blind = np.random.default_rng(3), photos(colour_seen=0.0)
    for name, slots in blind.slots.items():
        slots[:] = rng.permutation(slots)  # what they are has nothing to do with what is seen
        assert (slots >= 0).any(), name
    assert learn_ranking(blind, LEAF, ATTRIBUTES) is None


def test_it_is_told_and_named_by_its_numbers() -> None:
    ranking = Ranking(0.1234, {"colour": 0.2}, 300)
    assert str(ranking) == (
        "results are ranked by the cosine and 0.123 for the category, 0.2 for colour, "
        "as learned from 300 held-out photos"
    )
    assert {name: float(value) for name, value in ranking.arrays().items()} == {
        "ranking/category": 0.1234,
        "ranking/photos": 300,
        "ranking/attribute/colour": 0.2,
    }
