"""Whether a catalogue says that its rows are dated, which exports go by."""

from pathlib import Path

from tests.catalogue.shop import COLUMNS, plain_shop, rows_of


def test_the_log_says_whether_the_feed_tells_when_items_were_changed(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop")
    shop.run("r1", "catalogue")
    assert shop.head()[1]["dated"] is False
    shop.write_csv([{**row, "at": "2026-01-01"} for row in rows_of(10)])
    shop.write_config(catalogue={"columns": {**COLUMNS, "updated_at": "at"}})
    shop.run("r2", "catalogue")
    assert shop.head()[1]["dated"] is True
