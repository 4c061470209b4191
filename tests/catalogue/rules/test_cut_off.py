"""A snapshot whose file was cut off: what is whole of it is read, and what it does not name stays."""

import json
from pathlib import Path

import pytest

from tests.catalogue.shop import COLUMNS, Row, Shop, rows_of


def as_xml(rows: list[Row]) -> str:
    items = "".join(f"<item>{''.join(f'<{k}>{v}</{k}>' for k, v in row.items())}</item>\n" for row in rows)
    return f"<rss><channel>\n{items}</channel></rss>".replace(" > ", " / ")


def as_json(rows: list[Row]) -> str:
    return json.dumps(rows, indent=1).replace(" > ", " / ")


def shop_of(folder: Path, kind: str) -> Shop:
    shop = Shop(folder)
    columns = {**COLUMNS, "category_separator": "/"}
    shop.write_config(catalogue={"snapshot": f"feed.{kind}", "columns": columns, "max_removed_share": 0.05})
    return shop


@pytest.mark.parametrize(("kind", "written"), [("xml", as_xml), ("json", as_json)])
def test_what_a_cut_off_snapshot_does_not_name_stays_until_the_next_one(tmp_path: Path, kind: str, written) -> None:
    shop = shop_of(tmp_path, kind)
    feed = shop.root / f"feed.{kind}"
    feed.write_text(written(rows_of(20)))
    shop.run("r1", "catalogue")
    feed.write_text(written(rows_of(20, name="New"))[:900])
    manifest = shop.run("r2", "catalogue")["catalogue"]
    titles = {row["item_id"]: row["title"] for row in shop.table("items")}
    assert len(titles) == 20  # the gate was not asked
    assert (titles["i0"], titles["i19"]) == ("New", "Item 19")
    assert manifest["rejects"] == {"bad_row": 1}
    assert any(
        note.startswith(f"files of the snapshot that were cut off: 1, as feed.{kind}, ") for note in manifest["notes"]
    )
    feed.write_text(written(rows_of(19, name="New")))
    assert shop.run("r3", "catalogue")["catalogue"]["counts"]["removed"] == 1


def test_a_media_table_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, "json")
    (shop.root / "feed.json").write_text(as_json(rows_of(3)))
    (shop.root / "more.json").write_text(json.dumps([{"sku": "i0", "photo": "x.jpg"}] * 3)[:-9])
    media = {"path": "more.json", "columns": {"item_id": "sku", "photo": "photo"}}
    columns = {**COLUMNS, "category_separator": "/"}
    shop.write_config(catalogue={"snapshot": "feed.json", "columns": columns, "media": media})
    result = shop.cli("catalogue")
    assert result.exit_code == 1
    assert "a media table is read whole: export it again" in result.output
