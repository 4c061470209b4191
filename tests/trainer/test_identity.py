import numpy as np

from trainer.identity import checksum, model_id, part

ARRAYS = {"trunk/a": np.arange(6, dtype=np.float32).reshape(2, 3), "heads/b": np.ones(2, np.float32)}
SLOTS = {"category_0": {"bags": 0, "hats": 1}}


def test_the_order_of_names_does_not_matter() -> None:
    assert checksum(ARRAYS) == checksum(dict(reversed(ARRAYS.items())))
    assert model_id("p", ARRAYS, SLOTS) == model_id("p", ARRAYS, {"category_0": {"hats": 1, "bags": 0}})


def test_one_bit_a_name_a_shape_or_a_dtype_changes_the_checksum() -> None:
    changed = ARRAYS["trunk/a"].copy()
    changed[1, 2] = np.nextafter(changed[1, 2], 9)
    others = [
        {**ARRAYS, "trunk/a": changed},
        {**ARRAYS, "trunk/a": ARRAYS["trunk/a"].reshape(3, 2)},
        {**ARRAYS, "trunk/a": ARRAYS["trunk/a"].view(np.int32)},
        {"trunk/c": ARRAYS["trunk/a"], "heads/b": ARRAYS["heads/b"]},
    ]
    assert len({checksum(ARRAYS), *map(checksum, others)}) == 5


def test_the_name_follows_preparation_slots_and_weights() -> None:
    names = {
        model_id("80x60-q95-v1", ARRAYS, SLOTS),
        model_id("80x60-q95-v2", ARRAYS, SLOTS),
        model_id("80x60-q95-v1", ARRAYS, {"category_0": {"bags": 0}}),
        model_id("80x60-q95-v1", {**ARRAYS, "heads/b": np.zeros(2, np.float32)}, SLOTS),
    }
    assert len(names) == 4
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in names)


def test_a_part_is_what_stands_under_its_names() -> None:
    assert part(ARRAYS, ["trunk"]) == {"trunk/a": ARRAYS["trunk/a"]}
