from collections import Counter

import numpy as np
import pytest

from pipelines.judge.candidates import Photo
from pipelines.judge.sample import allocated, drawn
from pipelines.judge.task import Shown


def photo(number: int, path: tuple[str, ...], weight: float = 1.0) -> Photo:
    return Photo(Shown(f"i{number}", f"{number:064x}", "", "", path), True, False, ("unit", number), weight)


def draw(photos: list[Photo], count: int, rng: np.random.Generator) -> list[Photo]:
    return drawn(lambda: photos, lambda photo: True, count, rng)


def test_what_may_not_be_asked_is_not_drawn() -> None:
    photos = [photo(n, ("a",)) for n in range(9)]
    chosen = drawn(lambda: photos, lambda one: one.shown.item_id > "i4", 9, np.random.default_rng(0))
    assert {one.shown.item_id for one in chosen} == {"i5", "i6", "i7", "i8"}


@pytest.mark.parametrize(
    ("strata", "count", "wanted"),
    [
        ({"a": (1.0, 10), "b": (3.0, 10)}, 8, {"a": 2, "b": 6}),
        ({"a": (1.0, 10), "b": (1.0, 10), "c": (1.0, 10)}, 4, {"a": 2, "b": 1, "c": 1}),
        ({"a": (9.0, 2), "b": (1.0, 10)}, 6, {"a": 2, "b": 4}),  # a small stratum gives what it cannot take
        ({"a": (1.0, 2), "b": (1.0, 1)}, 9, {"a": 2, "b": 1}),
    ],
)
def test_strata_get_their_shares(strata: dict[str, tuple[float, int]], count: int, wanted: dict[str, int]) -> None:
    assert allocated(strata, count) == wanted


def test_categories_are_drawn_by_their_weight_and_photos_never_twice() -> None:
    photos = [photo(n, ("a",)) for n in range(60)] + [photo(60 + n, ("b",)) for n in range(20)]
    chosen = draw(photos, 40, np.random.default_rng(1))
    assert Counter(one.shown.category for one in chosen) == {("a",): 30, ("b",): 10}
    assert len({one.shown.item_id for one in chosen}) == 40


def test_what_customers_ask_often_is_drawn_often() -> None:
    photos = [photo(n, ("a",), 9.0 if n < 10 else 1.0) for n in range(100)]
    counts = Counter(one.shown.item_id for seed in range(400) for one in draw(photos, 5, np.random.default_rng(seed)))
    often = sum(counts[f"i{n}"] for n in range(10)) / 10
    seldom = sum(counts[f"i{n}"] for n in range(10, 100)) / 90
    assert 7 < often / seldom < 10


def test_what_nobody_asks_is_drawn_last() -> None:
    photos = [photo(n, ("a",), float(n < 3)) for n in range(9)]
    assert {one.shown.item_id for one in draw(photos, 3, np.random.default_rng(0))} == {"i0", "i1", "i2"}
    assert len(draw(photos, 9, np.random.default_rng(0))) == 9
