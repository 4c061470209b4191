"""What pairs that are not alike have in common, near-duplicates among it."""

import pyarrow as pa

from pipelines.preprocess.apart import of_pairs, withheld, without_withheld
from pipelines.preprocess.groups import LOOK, PHOTO, TITLE
from pipelines.preprocess.splits import ITEMS
from pipelines.tables.apart import Apart


def row(item: str, label: bytes, photo: bytes, look: int) -> dict[str, object]:
    parts = {"label": label * 8, "item_key": item.encode() * 8, "photo_key": photo * 8}
    return {"item_id": item, **parts, "phash": look.to_bytes(8)}


TABLE = pa.Table.from_pylist(
    [row("a", b"T", b"1", 0b0000), row("b", b"T", b"2", 0b0011), row("b", b"T", b"3", 0b1111), row("c", b"T", b"2", 7)],
    ITEMS,
)
PAIR = Apart(frozenset({("a", "b")}))


def test_the_title_and_looks_of_up_to_two_bits_are_withheld() -> None:
    assert of_pairs(TABLE, PAIR)["item_id"].to_pylist() == ["a", "b", "b"]
    found = withheld([of_pairs(TABLE, PAIR)], PAIR).to_pylist()
    keys = {(one["item_id"], one["kind"], one["key"]) for one in found}
    titles = {("a", TITLE, b"T" * 8), ("b", TITLE, b"T" * 8)}
    assert keys == titles | {("a", LOOK, bytes(8)), ("b", LOOK, (3).to_bytes(8))}


def test_what_is_withheld_is_null_and_an_item_is_under_its_own_label() -> None:
    left = without_withheld(TABLE, withheld([TABLE], PAIR)).to_pylist()
    assert [one["label"] for one in left] == [b"a" * 8, b"b" * 8, b"b" * 8, b"T" * 8]
    assert [one["phash"] for one in left] == [None, None, (15).to_bytes(8), (7).to_bytes(8)]
    assert [one["photo_key"] for one in left] == [b"1" * 8, b"2" * 8, b"3" * 8, b"2" * 8]


def test_of_a_pair_with_a_photo_the_item_alone_loses_its_link() -> None:
    digest = (b"2" * 8 + bytes(24)).hex()
    apart = Apart(photos=frozenset({("b", digest)}))
    keys = {(one["item_id"], one["kind"]) for one in withheld([of_pairs(TABLE, apart)], apart).to_pylist()}
    assert keys == {("b", PHOTO), ("b", LOOK)}
