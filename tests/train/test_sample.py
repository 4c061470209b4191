"""The sample by numbers: strata added up in any order, shares worked out by hand, and floors."""

import pyarrow as pa
import pytest

from pipelines.train.sample import LAST, Sample, Stratum, draw, merged, strata_of

FLOOR = 3


def photos(counts: dict[tuple[str, str, bool], int]) -> pa.Table:
    keys = [key for key, count in counts.items() for _ in range(count)]
    digests = [number.to_bytes(32, "big") for number in range(len(keys))]
    columns = list(zip(*keys, strict=True))
    return pa.table({"split": columns[0], "leaf": columns[1], "new": columns[2], "digest": digests})


def taken(counts: dict[tuple[str, str, bool], int], most: int, seed: str = "a") -> dict[tuple[str, str, bool], int]:
    table = photos(counts)
    mask = draw(strata_of(table, seed, FLOOR), most, seed).takes(table)
    kept = strata_of(table.filter(mask), seed, FLOOR)
    return {key: kept[key].count if key in kept else 0 for key in counts}


A, B, C = ("train", "a", False), ("train", "b", False), ("val", "a", False)
NEW = ("train", "a", True)


def test_all_are_taken_when_they_fit() -> None:
    counts = {A: 50, B: 1, C: 7, NEW: 2}
    assert taken(counts, 60) == counts


def test_the_sample_is_about_as_large_as_it_may_be_and_each_leaf_has_its_share() -> None:
    found = taken({A: 4000, B: 1000, C: 500}, 1100)  # a fifth
    assert found[A] == pytest.approx(800, abs=80)
    assert found[B] == pytest.approx(200, abs=40)
    assert found[C] == pytest.approx(100, abs=30)


def test_a_rare_leaf_keeps_its_floor_and_no_more_than_it_has() -> None:
    assert taken({A: 4000, B: 10, C: 2}, 100) == {A: pytest.approx(95, abs=30), B: FLOOR, C: 2}


def test_all_that_is_new_is_taken_and_the_rest_shares_what_is_left() -> None:
    found = taken({A: 1000, NEW: 200}, 300)
    assert found[NEW] == 200
    assert found[A] == pytest.approx(100, abs=30)


def test_new_photos_alone_over_the_bound_are_sampled_too() -> None:
    found = taken({A: 1000, NEW: 1000}, 200)
    assert found[NEW] == pytest.approx(100, abs=30)
    assert found[A] == pytest.approx(100, abs=30)


def test_another_seed_takes_others_and_the_same_seed_the_same() -> None:
    table = photos({A: 400})
    masks = [draw(strata_of(table, seed, FLOOR), 200, seed).takes(table).to_pylist() for seed in ("a", "a", "b")]
    assert masks[0] == masks[1]
    assert sum(one and other for one, other in zip(masks[0], masks[2], strict=True)) == pytest.approx(100, abs=30)


def test_strata_of_parts_add_up_to_those_of_the_whole() -> None:
    table = photos({A: 40, B: 9, C: 2})
    parts = [strata_of(table.slice(start, 17), "a", FLOOR) for start in (34, 0, 17)]
    whole = strata_of(table, "a", FLOOR)
    assert merged([{}, merged(parts[:2], FLOOR), parts[2]], FLOOR) == whole
    assert whole[B].count == 9
    assert len(whole[B].lowest) == FLOOR
    assert whole[B].lowest == tuple(sorted(whole[B].lowest))


def test_nothing_to_choose_from() -> None:
    assert draw({}, 5, "a") == Sample("a", {})
    assert draw({A: Stratum(2, (1, 5))}, 5, "a").limits == {A: LAST}
