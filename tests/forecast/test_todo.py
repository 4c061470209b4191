"""What days would have to do, against what their runs then do."""

from pathlib import Path

import pytest

from pipelines.backfill.repair import drop, find_damaged
from pipelines.config import BeamSection
from pipelines.forecast.todo import Question, ToDo, count
from pipelines.jobs.jobs import Jobs
from pipelines.store import Log, UnitTable
from tests.catalogue.shop import BUCKETS, Shop, plain_shop, rows_of

IMAGES = "images/32x24-q95-v2"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Ten photos read and prepared, then two more that are only in the catalogue."""
    shop = plain_shop(tmp_path / "shop")
    shop.run("first", "catalogue", "preprocess")
    rows = rows_of(12)
    shop.write_csv(rows)
    shop.write_photos(row["image"] for row in rows)
    shop.run("second", "catalogue")
    return shop


def catalogues(shop: Shop) -> tuple[str, ...]:
    return tuple(entry["catalogue_id"] for _, entry in Log(shop.store, "catalogue/log").entries())


def counted(shop: Shop, question: Question) -> list[ToDo]:
    return count(shop.store, Jobs(BeamSection(), "test"), question, BUCKETS, "scratch.json")


def test_a_photo_counts_at_the_first_day_that_has_it(shop: Shop) -> None:
    days = catalogues(shop)
    asked = Question(days, IMAGES, ())
    assert counted(shop, asked) == [ToDo(0, 0, 10), ToDo(2, 2, 2)]
    assert counted(shop, Question(days[::-1], IMAGES, ())) == [ToDo(2, 2, 12), ToDo()]
    assert counted(shop, Question(days, "images/64x48-q95-v2", ())) == [ToDo(10, 10, 10), ToDo(2, 2, 2)]
    done = shop.run("third", "catalogue", "preprocess")["preprocess"]["counts"]
    assert (done["fetched"], done["prepared"]) == (2, 2)
    assert counted(shop, asked) == [ToDo(0, 0, 10), ToDo(0, 0, 2)]


def test_a_photo_that_was_rejected_is_nothing_to_do(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop")
    shop.write_config(preprocess={"max_rejected_share": 1.0})
    (shop.photos / "p0.jpg").write_bytes(b"no picture")
    (shop.photos / "p1.jpg").unlink()
    shop.run("first", "catalogue", "preprocess")
    assert counted(shop, Question(catalogues(shop), IMAGES, ())) == [ToDo(0, 0, 8)]


def test_a_damaged_unit_counts_as_not_there_and_is_made_again_alone(shop: Shop) -> None:
    shop.run("third", "catalogue", "preprocess")
    images = UnitTable(shop.store, IMAGES)
    units = images.unit_ids()
    spoilt, lost = units[:2]
    rows = sum(len(images.read_keys(unit)) for unit in (spoilt, lost))
    path = shop.root / "store" / images.data_name(spoilt)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    (shop.root / "store" / images.data_name(lost)).unlink()

    damaged = find_damaged(shop.store, Jobs(BeamSection(), "test"), ["sources", IMAGES], "scratch.json")
    assert [(d.prefix, d.unit_id) for d in damaged] == [(IMAGES, spoilt), (IMAGES, lost)]
    assert "checksum" in damaged[0].why
    newest = catalogues(shop)[-1:]
    assert counted(shop, Question(newest, IMAGES, (), frozenset((one.prefix, one.unit_id) for one in damaged))) == [
        ToDo(rows, rows, 12)
    ]

    drop(shop.store, damaged)
    done = shop.run("fourth", "catalogue", "preprocess")["preprocess"]["counts"]
    assert (done["fetched"], done["prepared"], done["ok"] + done["skipped"]) == (rows, rows, 12)
    assert set(units) - {spoilt, lost} < set(images.unit_ids())
    assert find_damaged(shop.store, Jobs(BeamSection(), "test"), ["sources", IMAGES], "scratch.json") == []
