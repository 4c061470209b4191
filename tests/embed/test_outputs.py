import numpy as np
import pyarrow as pa

from pipelines.embed.outputs import Outputs, join_outputs, top_categories, unit_tables


def outputs(n: int) -> Outputs:
    embedding = np.zeros((n, 2), np.float32)
    embedding[:, 0] = 1
    rows = np.arange(n, dtype=np.int32)[:, None]
    return Outputs(embedding, rows.astype(np.uint8), np.repeat(rows, 3, axis=1), np.full((n, 3), 0.25, np.float32))


def test_the_top_three_of_a_level_are_permanent_slots_and_ties_go_to_the_first_column() -> None:
    probabilities = np.array([[0.1, 0.4, 0.1, 0.4]], np.float32)
    slots, shares = top_categories(probabilities, np.array([7, 5, 3, 1], np.int32))
    assert slots.tolist() == [[5, 1, 7]]
    np.testing.assert_array_equal(shares, np.array([[0.4, 0.4, 0.1]], np.float32))


def test_a_level_of_two_columns_is_filled_with_no_slot() -> None:
    slots, shares = top_categories(np.array([[0.25, 0.75]], np.float32), np.array([4, 9], np.int32))
    assert slots.tolist() == [[9, 4, -1]]
    assert shares.tolist() == [[0.75, 0.25, 0.0]]


def test_rejects_have_keys_but_no_data() -> None:
    digests = pa.array([bytes([n]) * 32 for n in range(3)])
    keys, data = unit_tables(digests, ["", "nonfinite", ""], outputs(2))
    assert data is not None
    assert keys["code"].to_pylist() == ["", "nonfinite", ""]
    assert keys["row"].to_pylist() == [0, -1, 1]
    assert data["digest"].to_pylist() == [b"\0" * 32, b"\2" * 32]
    assert data["embedding"].to_pylist() == [b"\x00\x3c\x00\x00"] * 2  # 1.0 and 0.0 in little-endian float16
    assert data["hash"].to_pylist() == [b"\0", b"\1"]
    assert data["category_slots"].to_pylist() == [[0, 0, 0], [1, 1, 1]]
    assert data["category_probabilities"].to_pylist() == [[0.25, 0.25, 0.25]] * 2


def test_a_unit_of_rejects_alone_has_no_data() -> None:
    keys, data = unit_tables(pa.array([b"\0" * 32]), ["bad_image"], outputs(0))
    assert data is None
    assert keys.to_pylist() == [{"digest": b"\0" * 32, "view": "full", "code": "bad_image", "row": -1}]


def test_outputs_know_their_finite_rows() -> None:
    mixed = outputs(4)
    mixed.embedding[1, 1] = np.nan
    mixed.probabilities[3, 0] = np.inf
    assert mixed.finite().tolist() == [True, False, True, False]
    assert join_outputs([mixed.take(mixed.finite()), outputs(1)]).hash.tolist() == [[0], [2], [0]]
