"""Feeds that are read in part, and photos that come from a table of their own."""

from typing import Any

from tests.catalogue.rules.days import COLUMNS, Days, row


def test_the_media_table_is_the_state_with_deltas_too(with_deltas: Days) -> None:
    shop = with_deltas.shop
    columns = {"item_id": "sku", "photo": "image", "box": ["l", "t", "r", "b"]}
    shop.write_config(
        catalogue={
            "snapshot": None, "deltas": "deltas/*.csv", "columns": COLUMNS, "max_rejected_share": 0.6,
            "media": {"path": "street.csv", "columns": columns},
        }
    )  # fmt: skip

    def street(*photos: tuple[str, str, int | str]) -> None:
        shop.write_csv(
            [{"sku": s, "image": i, "l": b and 0, "t": b and 0, "r": b, "b": b} for s, i, b in photos], "street.csv"
        )

    def photos() -> list[tuple[str, str, Any]]:
        found = shop.table("photos")
        return sorted((one["item_id"], one["image_uri"], one["box"] and one["box"][2]) for one in found)

    with_deltas.delta("1.csv", row(0), row(1))
    street(("a0", "s5.jpg", 20), ("a0", "s6.jpg", ""), ("a1", "s7.jpg", ""))
    with_deltas.read()
    street(("a0", "s5.jpg", 30), ("a1", "s7.jpg", ""))
    second = with_deltas.read()
    assert photos() == [("a0", "p0.jpg", None), ("a0", "s5.jpg", 30.0), ("a1", "p1.jpg", None), ("a1", "s7.jpg", None)]
    assert (second["counts"]["changed"], second["notes"]) == (1, ["photos that are in the media table no more: 1"])
    with_deltas.delta("2.csv", row(0, "2026-11-20T08:00:00Z", image="p9.jpg"))
    with_deltas.read()
    assert [one for one in photos() if one[0] == "a0"] == [("a0", "p9.jpg", None), ("a0", "s5.jpg", 30.0)]
    street(("a0", "s5.jpg", "wide"), ("a1", "s7.jpg", ""))
    assert with_deltas.read()["rejects"] == {"bad_number": 1}
    assert ("a0", "s5.jpg", 30.0) in photos()


def test_an_item_that_waits_for_its_photo_is_there_when_it_comes(with_deltas: Days) -> None:
    shop = with_deltas.shop
    media = {"path": "street.csv", "columns": {"item_id": "sku", "photo": "image"}}
    shop.write_config(
        catalogue={
            "snapshot": None,
            "deltas": "deltas/*.csv",
            "columns": COLUMNS,
            "media": media,
            "max_rejected_share": 0.6,
        }
    )
    with_deltas.delta("1.csv", row(0), row(1, image=""))
    shop.write_csv([{"sku": "a0", "image": "s0.jpg"}], "street.csv")
    assert with_deltas.read()["rejects"] == {"no_photo": 1}
    assert with_deltas.ids() == "a0"
    shop.write_csv([{"sku": "a0", "image": "s0.jpg"}, {"sku": "a1", "image": "s1.jpg"}], "street.csv")
    with_deltas.read()
    assert with_deltas.ids() == "a0 a1"
