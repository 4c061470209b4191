"""A run that finds all as it was starts no job, and one that does not plans as ever."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.jobs.jobs import Jobs
from pipelines.preprocess import as_before
from tests.catalogue.shop import Shop, jpeg, plain_shop, rows_of
from tests.releases.live import make_live

ITEMS = 10


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps of the jobs that are started."""
    steps: list[str] = []
    run = Jobs.run

    def told(self: Jobs, step: str, build: Callable[[Any], Any], **more: Any) -> None:
        steps.append(step)
        run(self, step, build, **more)

    monkeypatch.setattr(Jobs, "run", told)
    return steps


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten items, of which one has a photo that is none and one has none, after a run that is live."""
    shop = plain_shop(tmp_path_factory.mktemp("first-day") / "shop", ITEMS)
    (shop.photos / "p3.jpg").write_bytes(b"no photo")
    (shop.photos / "p4.jpg").unlink()
    shop.write_config(preprocess={"max_rejected_share": 0.5})
    shop.run("first", "catalogue", "preprocess")
    make_live(shop.store, "first")
    return shop.root


@pytest.fixture
def shop(first_day: Path, tmp_path: Path) -> Shop:
    """A copy of that shop of the test's own."""
    return Shop(Path(shutil.copytree(first_day, tmp_path / "shop")))


def counts(shop: Shop) -> tuple[int, ...]:
    found = shop.run("second", "catalogue", "preprocess")["preprocess"]["counts"]
    return tuple(found[name] for name in ("fetched", "prepared", "in", "ok", "skipped", "rejected"))


def test_all_as_before_starts_no_job(shop: Shop, started: list[str]) -> None:
    assert counts(shop) == (0, 0, 10, 0, 8, 2)
    assert started == []


def replace_a_photo(shop: Shop) -> None:
    (shop.photos / "p7.jpg").write_bytes(jpeg(7007))


def mend_a_photo(shop: Shop) -> None:
    (shop.photos / "p3.jpg").write_bytes(jpeg(3003))


def bring_a_photo(shop: Shop) -> None:
    shop.write_photos(["p4.jpg"])


def list_another(shop: Shop) -> None:
    shop.write_photos(["p10.jpg"])
    shop.write_csv(rows_of(ITEMS + 1))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (replace_a_photo, (1, 1, 10, 1, 7, 2)),
        (mend_a_photo, (1, 1, 10, 1, 8, 1)),
        (bring_a_photo, (1, 1, 10, 1, 8, 1)),
        (list_another, (1, 1, 11, 1, 8, 2)),
    ],
)
def test_what_is_new_is_planned(
    change: Callable[[Shop], None], expected: tuple[int, ...], shop: Shop, started: list[str]
) -> None:
    change(shop)
    assert counts(shop) == expected
    assert {"plan-1", "units", "resolve"} <= set(started)


def test_photos_of_another_size_are_planned(shop: Shop, started: list[str]) -> None:
    shop.write_config(preprocess={"height": 16, "width": 16, "max_rejected_share": 0.5})
    assert counts(shop) == (9, 8, 10, 8, 0, 2)  # what is no photo is read again
    assert started == ["plan-1", "units", "resolve"]


def test_a_photo_that_a_limit_refused_is_planned_under_another_limit(shop: Shop, started: list[str]) -> None:
    limited = {"max_rejected_share": 1.0, "min_side": 40}
    shop.write_config(preprocess={"height": 16, "width": 16, **limited})
    assert shop.run("refused", "catalogue", "preprocess")["preprocess"]["rejects"]["too_small"] == 8
    started.clear()
    shop.write_config(preprocess={"height": 16, "width": 16, **limited, "min_side": 20})
    assert counts(shop)[1:4] == (8, 10, 8)
    assert "plan-1" in started


@pytest.mark.parametrize(("name", "most"), [("MOST_PHOTOS", ITEMS - 1), ("MOST_UNITS", 2)])
def test_a_large_shop_is_looked_at_by_a_job(
    name: str, most: int, shop: Shop, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(as_before, name, most)
    assert counts(shop) == (0, 0, 10, 0, 8, 2)
    assert started == ["plan-1"]


def test_photos_that_the_launcher_may_not_have_are_looked_at_by_a_job(
    shop: Shop, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(as_before, "is_far", lambda uri: True)
    assert counts(shop) == (0, 0, 10, 0, 8, 2)
    assert started == ["plan-1"]
