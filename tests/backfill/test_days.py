"""Which catalogue a day ended with, and what is said where there is none."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.backfill.days import newest, window
from pipelines.errors import StageError
from pipelines.store import Log, Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store whose catalogue was read before entries had a time, twice on the 18th, and on the 20th."""
    store = open_store(str(tmp_path / "store"))
    log = Log(store, "catalogue/log")
    times = (None, "2026-11-18T02:00:00+00:00", "2026-11-18T23:59:59+00:00", "2026-11-20T00:00:00+00:00")
    for number, at in enumerate(times, 1):
        entry: dict[str, Any] = {"catalogue_id": f"c{number}", "counts": {"items": number, "photos": 2 * number}}
        log.append(number, entry | ({"at": at} if at else {}))
        store.create(f"catalogue/c{number}/photos/00000.parquet", b"")
    return store


def test_a_day_has_the_last_catalogue_that_was_read_in_it(store: Store) -> None:
    found = window(store, date(2026, 11, 18), date(2026, 11, 20))
    assert [(day.name, day.number, day.catalogue_id) for day in found.days] == [
        ("2026-11-18", 3, "c3"),
        ("2026-11-20", 4, "c4"),
    ]
    assert found.without == ("2026-11-19",)
    assert found.before["catalogue_id"] == "c1"
    assert window(store, date(2026, 11, 20), date(2026, 11, 20)).before["catalogue_id"] == "c3"
    assert (newest(store).number, newest(store).photos) == (4, 8)


def test_a_day_is_one_of_utc(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    entry = {"catalogue_id": "c", "counts": {"items": 1, "photos": 1}, "at": "2026-11-18T01:00:00+02:00"}
    Log(store, "catalogue/log").append(1, entry)
    store.create("catalogue/c/photos/00000.parquet", b"")
    assert window(store, date(2026, 11, 17), date(2026, 11, 17)).days[0].name == "2026-11-17"


def test_what_cannot_be_done_again_is_said(store: Store) -> None:
    with pytest.raises(StageError, match="--start 2026-11-20 comes after --end 2026-11-18"):
        window(store, date(2026, 11, 20), date(2026, 11, 18))
    with pytest.raises(StageError, match=r"no catalogue was read.*have one: 2026-11-18, 2026-11-20"):
        window(store, date(2026, 11, 19), date(2026, 11, 19))
    store.delete("catalogue/c3/photos/00000.parquet")
    with pytest.raises(StageError, match="the catalogue c3 that 2026-11-18 ended with is gone"):
        window(store, date(2026, 11, 18), date(2026, 11, 20))
    with pytest.raises(StageError, match="no catalogue yet"):
        newest(open_store(store.uri + "-empty"))
