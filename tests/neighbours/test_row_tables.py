import numpy as np
import pyarrow as pa
import pytest

from pipelines.neighbours.row_tables import percent_ranks, write_rows
from pipelines.neighbours.rows import Rows, UnknownItemError


def opened(folder, data, attributes=(), signals=()):
    tables, vocabulary = write_rows(folder, data.digests, data.items, attributes, signals)
    return tables, Rows(folder, vocabulary)


def test_rows_are_photos_sorted_by_category_then_digest(hand_made, line, tmp_path):
    data = hand_made.shop_data(
        line("a", 30, slot=7), line("b", 20, slot=2), line("c", 10, slot=7), line("d", 20, slot=2)
    )
    tables, rows = opened(tmp_path, data)
    # The photos 10, 20, 30 are stored in this order; category 2 comes first, then 7 with digest 10 before 30.
    assert tables.source.tolist() == [1, 0, 2]
    assert [int(d[-1]) for d in rows.digests] == [20, 10, 30]
    assert rows.link_slot.tolist() == [2, 2, 7, 7]
    assert rows.link_row.tolist() == [0, 0, 1, 2]
    assert [rows.item(i) for i in "abcd"] == [0, 1, 2, 3]
    assert rows.link_item.tolist() == [1, 3, 2, 0]
    assert rows.item_ids() == ["a", "b", "c", "d"]


def test_digests_rise_within_a_category_from_their_first_byte_on(medium, tmp_path):
    _, rows = opened(tmp_path, medium.data())
    keys = [(slot, digest.tobytes()) for slot, digest in zip(rows.link_slot, rows.digests, strict=True)]
    assert keys == sorted(keys) and len(keys) == 6_000


def test_the_way_from_items_to_photos_and_back(hand_made, line, tmp_path):
    data = hand_made.shop_data(
        line("a", 30, position=0), line("a", 10, position=1), line("b", 30), line("b", 20, position=2)
    )
    _, rows = opened(tmp_path, data)
    first = rows.links_of_item(rows.item("a"))
    assert [int(rows.digests[rows.link_row[link]][-1]) for link in first] == [30, 10]  # by position, not by row
    links = rows.links_of_rows(np.array([2, 0]))  # the photos 30 and 10
    assert [h.image_uri for h in rows.results([links], [np.ones(3)])[0]] == ["a-30.jpg", "b-30.jpg", "a-10.jpg"]
    assert len(rows.links_of_rows(np.zeros(0, np.int64))) == 0


def test_a_hit_says_what_a_shop_knows(hand_made, line, tmp_path):
    _, rows = opened(tmp_path, hand_made.shop_data(line("a", 30, slot=4)))
    (hit,), () = rows.results([np.array([0]), np.array([], np.int64)], [np.array([0.5], np.float32), np.array([])])
    assert (hit.item_id, hit.score, hit.category, hit.image_uri) == ("a", 0.5, ("all", "c4"), "a-30.jpg")
    assert hit.digest == "00" * 31 + "1e"


def test_a_hit_says_of_an_item_whether_it_can_be_had_where_the_shop_does(hand_made, line, tmp_path):
    data = hand_made.shop_data(line("a", 10), line("b", 20))
    told = data.items.append_column("availability", pa.array(["out_of_stock", None], pa.string()))
    _, vocabulary = write_rows(tmp_path, data.digests, told)
    found = Rows(tmp_path, vocabulary).results([np.array([0, 1])], [np.ones(2)])[0]
    assert [(hit.item_id, hit.availability) for hit in found] == [("a", "out_of_stock"), ("b", "")]
    _, rows = opened(tmp_path, data)  # as an index of before
    assert [hit.availability for hit in rows.results([np.array([0, 1])], [np.ones(2)])[0]] == ["", ""]


def test_variants_share_a_group_and_others_stand_alone(hand_made, line, tmp_path):
    data = hand_made.shop_data(
        line("a", 10, group_id="g"), line("b", 20, group_id="g"), line("g", 30), line("d", 40, group_id="")
    )
    _, rows = opened(tmp_path, data)
    a, b, g, d = rows.link_group
    assert a == b and len({a, g, d}) == 3  # an item named like a group is none of its variants


def test_what_does_not_join_is_dropped_and_counted(hand_made, line, tmp_path):
    data = hand_made.shop_data(line("a", 10), line("b", 20), line("c", 30))
    items = data.items.filter(pa.array([True, True, False]))
    tables, vocabulary = write_rows(tmp_path, data.digests[[0, 2]], items)
    assert tables.dropped == {"photos_without_vector": 1, "vectors_without_item": 1}
    assert len(Rows(tmp_path, vocabulary)) == 1


def test_nothing_in_common_is_an_error(hand_made, line, tmp_path):
    data = hand_made.shop_data(line("a", 10))
    with pytest.raises(ValueError, match="none of 1 photos of items has one of 1 vectors: embed them first"):
        write_rows(tmp_path, data.digests + 1, data.items)


def test_wrong_tables_are_refused(hand_made, line, tmp_path):
    data = hand_made.shop_data(line("a", 10))
    with pytest.raises(ValueError, match="no column 'slot'"):
        write_rows(tmp_path, data.digests, data.items.drop_columns(["slot"]))
    with pytest.raises(ValueError, match=r"digests are uint8 \(1, 16\), expected uint8 \[n, 32\]"):
        write_rows(tmp_path, data.digests[:, :16], data.items)
    with pytest.raises(ValueError, match="a digest has two vectors"):
        write_rows(tmp_path, data.digests[[0, 0]], data.items)
    with pytest.raises(ValueError, match="'colour' is wanted but the items table has no column 'attributes'"):
        write_rows(tmp_path, data.digests, data.items.drop_columns(["attributes"]), attributes=("colour",))


def test_unknown_items_are_named(hand_made, line, tmp_path):
    _, rows = opened(tmp_path, hand_made.shop_data(line("b", 10)))
    for unknown in ("a", "c"):  # before and after all others
        with pytest.raises(UnknownItemError, match=f"item '{unknown}' is not in the index"):
            rows.item(unknown)


def test_dead_and_inactive_items_are_not_live(hand_made, line, tmp_path):
    data = hand_made.shop_data(line("a", 10), line("b", 10), line("c", 20, active=False), line("b", 30))
    _, rows = opened(tmp_path, data)
    assert rows.live_links(()).tolist() == [True, True, False, True]
    assert rows.live_links(("b", "never listed")).tolist() == [True, False, False, False]


def test_attributes_become_numbers_and_signals_ranks(hand_made, line, tmp_path):
    data = hand_made.shop_data(
        line("a", 10, attributes=(("colour", "red"),), signals=(("sales", 7.0),)),
        line("b", 20, attributes=(("colour", "blue"),), signals=(("sales", 900.0),)),
        line("c", 30),
    )
    _, rows = opened(tmp_path, data, attributes=("colour",), signals=("sales",))
    values, codes = rows.attributes["colour"]
    assert (values, codes.tolist()) == (["blue", "red"], [1, 0, -1])
    assert rows.signals["sales"].tolist() == [0.0, 1.0, 0.5]


def test_percent_ranks_put_ties_in_the_middle_and_the_unknown_in_between():
    # Of 10, 10, 20, 30 the tens share places 0 and 1 of 0..3: .5 / 3.
    ranks = percent_ranks(np.array([10, np.nan, 20, 10, 30]))
    assert np.allclose(ranks, [0.5 / 3, 0.5, 2 / 3, 0.5 / 3, 1])
    assert percent_ranks(np.array([5.0])).tolist() == [0.5]


def test_the_order_of_the_input_changes_nothing(medium, tmp_path):
    shuffled = np.random.default_rng(1).permutation(len(medium.vectors))
    items = medium.items()
    for name, digests, table in (
        ("one", medium.digests, items),
        ("two", medium.digests[shuffled], items.take(pa.array(shuffled[::-1]))),
    ):
        (tmp_path / name).mkdir()
        write_rows(tmp_path / name, digests, table)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name
