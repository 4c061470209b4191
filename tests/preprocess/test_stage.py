"""Only what is new is fetched, and only what has new bytes is prepared; a run goes on where it stopped."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.config.stages import PreprocessSection
from pipelines.errors import StageError
from pipelines.preprocess import planning
from pipelines.preprocess.prepare import Preparer
from pipelines.runs.manifest import Manifest
from pipelines.store import UnitTable
from tests.catalogue.shop import Shop, jpeg, plain_shop, rows_of
from tests.releases.live import make_live
from transforms.photo import PrepSpec

ITEMS = 100
STAGES = ("catalogue", "preprocess")
PREP = "images/32x24-q95-v2"
Story = dict[str, Manifest]


def preprocess(shop: Shop, run_id: str, **more: Any) -> Manifest:
    return shop.run(run_id, *STAGES, **more)["preprocess"]


def keys_of(shop: Shop, table: str) -> list[dict[str, Any]]:
    units = UnitTable(shop.store, table)
    return [row for unit_id in units.unit_ids() for row in units.read_keys(unit_id).to_pylist()]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A hundred items with a photo each."""
    shop = plain_shop(tmp_path_factory.mktemp("days") / "shop", ITEMS)
    shop.write_config(preprocess={"photos_a_unit": 30})
    return shop


@pytest.fixture(scope="module")
def days(shop: Shop) -> Story:
    """One run a day, each after one kind of change."""
    rows = rows_of(ITEMS, eur="3")
    days = {"first": preprocess(shop, "first"), "same": preprocess(shop, "same")}

    rows.append({**rows[0], "sku": "i100", "image": "p100.jpg", "name": "Item 100"})
    shop.write_csv(rows)
    shop.write_photos(["p100.jpg"])
    days["one more"] = preprocess(shop, "one-more")

    rows[5] = {**rows[5], "name": "A better name", "eur": "2"}
    shop.write_csv(rows)
    days["new title"] = preprocess(shop, "new-title")

    (shop.photos / "p7.jpg").write_bytes(jpeg(7007))
    days["new photo"] = preprocess(shop, "new-photo")

    shutil.move(shop.photos / "p8.jpg", shop.root / "p8.jpg")  # the item with its photo, and a photo alone
    del rows[8]
    (shop.photos / "p9.jpg").unlink()
    shop.write_csv(rows)
    days["gone"] = preprocess(shop, "gone")

    shutil.move(shop.root / "p8.jpg", shop.photos / "p8.jpg")
    rows.insert(8, {**rows_of(9)[8], "eur": "3"})
    for photo in shop.photos.iterdir():  # restored from a backup: the same bytes of another date
        os.utime(photo, (2e9, 2e9))
    shop.write_csv(rows)
    days["touched"] = preprocess(shop, "touched")
    return days


def done(manifest: Manifest) -> tuple[int, ...]:
    return tuple(manifest["counts"][name] for name in ("fetched", "prepared", "in", "ok", "skipped", "rejected"))


def test_the_first_run_does_everything(days: Story) -> None:
    assert done(days["first"]) == (100, 100, 100, 100, 0, 0)
    assert days["first"]["counts"]["units"] == 4  # of at most 30
    assert days["first"]["notes"] == []


def test_nothing_new_is_nothing_done_and_it_says_so(days: Story) -> None:
    assert done(days["same"]) == (0, 0, 100, 0, 100, 0)
    assert days["same"]["notes"] == ["nothing new: 0 photos fetched, 0 prepared"]


def test_one_per_cent_more_is_one_per_cent_of_the_work(days: Story) -> None:
    assert done(days["one more"]) == (1, 1, 101, 1, 100, 0)


def test_a_new_title_or_price_prepares_nothing(days: Story, shop: Shop) -> None:
    assert done(days["new title"]) == (0, 0, 101, 0, 101, 0)
    assert days["new title"]["outputs"]["catalogue_id"] != days["one more"]["outputs"]["catalogue_id"]


def test_one_new_photo_prepares_one(days: Story, shop: Shop) -> None:
    assert done(days["new photo"]) == (1, 1, 101, 1, 100, 0)
    rows = {run: {one["image_uri"]: one for one in shop.prepared(run)} for run in ("new-title", "new-photo")}
    changed = {uri for uri, one in rows["new-photo"].items() if one["digest"] != rows["new-title"][uri]["digest"]}
    assert changed == {"p7.jpg"}


def test_a_deleted_item_leaves_and_a_deleted_photo_is_a_reject(days: Story, shop: Shop) -> None:
    assert done(days["gone"]) == (0, 0, 100, 0, 99, 1)
    assert days["gone"]["rejects"] == {"missing": 1}
    photos = {one["item_id"]: one for one in shop.prepared("gone")}
    assert "i8" not in photos
    assert (photos["i9"]["code"], photos["i9"]["digest"], photos["i9"]["image_unit"]) == ("missing", None, None)


def test_what_has_the_same_bytes_is_read_and_not_prepared_again(days: Story, shop: Shop) -> None:
    # Of 101 photos one is missing still; the item that came back has its image too.
    assert done(days["touched"]) == (100, 0, 101, 100, 0, 1)
    digests = [row["digest"] for row in keys_of(shop, PREP)]
    assert len(digests) == len(set(digests)) == 102  # 100 + p100 + the new p7


def test_splits_are_fixed_at_first_sight(days: Story, shop: Shop) -> None:
    first = {one["item_id"]: one["split"] for one in shop.prepared("first")}
    last = {one["item_id"]: one["split"] for one in shop.prepared("touched")}
    assert {item: last[item] for item in first} == first
    assert set(first.values()) == {"train", "val", "test"}
    assert len([row["item_id"] for row in keys_of(shop, "splits")]) == 101


def test_the_resolved_rows_point_at_their_images(days: Story, shop: Shop) -> None:
    images = UnitTable(shop.store, PREP)
    for one in shop.prepared("touched"):
        if not one["code"]:
            [row] = images.read_rows(one["image_unit"], [one["image_row"]], ["digest", "phash"]).to_pylist()
            assert row == {"digest": one["digest"], "phash": one["phash"]}


def test_a_photo_that_goes_back_to_what_it_was_is_what_it_was(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 1)  # alone, so that the work of the fourth day is that of the second again
    photo, old, new = shop.photos / "p0.jpg", shop.root / "old.jpg", shop.root / "new.jpg"
    shutil.copy2(photo, old)
    new.write_bytes(jpeg(99))
    digests = []
    for day, source in enumerate((old, new, old, new)):
        shutil.copy2(source, photo)  # with its time, as a backup does
        assert preprocess(shop, f"r{day}")["counts"]["fetched"] == 1
        digests.append(shop.prepared(f"r{day}")[0]["digest"])
    assert digests == [hashlib.sha256(path.read_bytes()).digest() for path in (old, new, old, new)]


def test_a_re_listed_photo_is_one_image(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 3)
    preprocess(shop, "r1")
    shutil.copy(shop.photos / "p1.jpg", shop.photos / "again.jpg")
    shop.write_csv([*rows_of(3), {**rows_of(4)[3], "image": "again.jpg"}])
    preprocess(shop, "r2")
    photos = {one["item_id"]: one for one in shop.prepared("r2")}
    for name in ("digest", "image_unit", "image_row", "group", "split"):
        assert photos["i3"][name] == photos["i1"][name]


def test_another_size_prepares_everything_once_and_the_old_one_stays(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 5)
    shutil.copy(shop.photos / "p1.jpg", shop.photos / "p2.jpg")
    preprocess(shop, "r1")
    shop.write_config(preprocess={"height": 16, "width": 16})
    other = preprocess(shop, "r2")
    assert (other["outputs"]["prep_id"], other["counts"]["prepared"]) == ("16x16-q95-v2", 4)  # 5 photos, 4 pictures
    shop.write_config()
    back = preprocess(shop, "r3")
    assert (back["counts"]["fetched"], back["outputs"]["prep_id"]) == (0, "32x24-q95-v2")


def test_another_version_prepares_everything_again_and_asks_again_what_was_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = plain_shop(tmp_path / "shop", 5)
    shop.write_config(preprocess={"max_rejected_share": 0.5})
    (shop.photos / "p1.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with monkeypatch.context() as before:
        before.setattr(PreprocessSection, "spec", PrepSpec(32, 24, version=1))
        old = preprocess(shop, "r1")
    assert (old["outputs"]["prep_id"], old["counts"]["prepared"]) == ("32x24-q95-v1", 4)
    assert old["rejects"] == {"unsupported_format": 1}
    new = preprocess(shop, "r2")
    assert (new["outputs"]["prep_id"], new["counts"]["fetched"]) == ("32x24-q95-v2", 5)
    assert (new["counts"]["prepared"], new["rejects"]) == (4, {"unsupported_format": 1})
    assert shop.store.folders("images") == ["32x24-q95-v1", "32x24-q95-v2"]


def test_units_that_are_committed_are_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = plain_shop(tmp_path / "shop", 20)  # five units of four
    asked: list[list[str]] = []
    prepare = Preparer.__call__

    def counting(self: Preparer, todo: pa.Table) -> Any:
        asked.append(todo["image_uri"].to_pylist())
        if len(asked) == 3:
            raise StageError("the power went")
        return prepare(self, todo)

    monkeypatch.setattr(Preparer, "__call__", counting)
    with pytest.raises(StageError, match="the power went"):
        preprocess(shop, "r")
    manifest = preprocess(shop, "r")
    assert [len(unit) for unit in asked] == [4] * 6
    assert len({uri for unit in asked for uri in unit}) == 20
    assert asked[2] in asked[3:]
    assert not {uri for unit in asked[:2] for uri in unit} & {uri for unit in asked[3:] for uri in unit}
    assert done(manifest) == (20, 20, 20, 20, 0, 0)


def test_half_a_plan_is_planned_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = plain_shop(tmp_path / "shop", 6)

    def fails(*_: Any, **__: Any) -> None:
        raise StageError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(planning, "write_plan", fails)
        with pytest.raises(StageError, match="the power went"):
            preprocess(shop, "r")
    assert list(shop.store.list("runs/r/preprocess/plan/todo"))
    (shop.photos / "p5.jpg").write_bytes(jpeg(5005))  # changed in between
    assert done(preprocess(shop, "r")) == (6, 6, 6, 6, 0, 0)
    assert done(preprocess(shop, "r2")) == (0, 0, 6, 0, 6, 0)


def test_the_feeds_split_stands_before_the_groups(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 6)
    shop.write_csv([{**one, "part": ("test" if n < 2 else "")} for n, one in enumerate(rows_of(6))])
    columns = {"item_id": "sku", "photos": "image", "category": "path", "split": "part"}
    shop.write_config(catalogue={"columns": columns}, preprocess={"val_share": 0.999, "test_share": 0.0})
    preprocess(shop, "r")
    splits = {one["item_id"]: one["split"] for one in shop.prepared("r")}
    assert splits == {"i0": "test", "i1": "test", "i2": "val", "i3": "val", "i4": "val", "i5": "val"}


def test_absolute_paths_and_file_uris_are_read_and_other_schemes_are_rejects(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 4)
    uris = ["p0.jpg", str(shop.photos / "p1.jpg"), f"file://{shop.photos / 'p2.jpg'}", "ftp://elsewhere/p3.jpg"]
    shop.write_csv([{**one, "image": uri} for one, uri in zip(rows_of(4), uris, strict=True)])
    shop.write_config(preprocess={"max_rejected_share": 0.5})
    manifest = preprocess(shop, "r")
    assert manifest["rejects"] == {"unsupported_scheme": 1}
    assert manifest["counts"]["ok"] == 3
    assert manifest["notes"][1] == (
        "  unsupported_scheme, for example ftp://elsewhere/p3.jpg: an address that nothing is fetched from; if the "
        "photo is here too, set catalogue.photo_prefix to what stands before its path: photos are read from paths, "
        "file://, gs://, https:// and http://"
    )


def test_where_nothing_is_new_the_photos_of_the_live_release_are_taken(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 10)
    (shop.photos / "p3.jpg").write_bytes(b"no photo")
    first = preprocess(shop, "first")
    make_live(shop.store, "first")
    second = preprocess(shop, "second")
    assert (second["outputs"], second["uri"]) == (first["outputs"], first["uri"])
    assert shop.prepared("second") == []
    assert done(second) == (0, 0, 10, 0, 9, 1)
    assert second["rejects"] == first["rejects"] == {"not_an_image": 1}
    assert second["notes"] == ["nothing new: 0 photos fetched, 0 prepared", *first["notes"]]
    make_live(shop.store, "second")  # which has no table of its own
    third = preprocess(shop, "third")
    assert third["outputs"] == first["outputs"]
    assert third["notes"] == second["notes"]
    assert [day["taken_from"] for day in (first, second, third)] == ["", "first", "first"]


def replace_a_photo(shop: Shop) -> None:
    (shop.photos / "p7.jpg").write_bytes(jpeg(7007))


def retitle_an_item(shop: Shop) -> None:
    rows = rows_of(10)
    shop.write_csv([{**rows[0], "name": "A better name"}, *rows[1:]])


def prepare_another_photo(shop: Shop) -> None:
    """Leave the photo as it was, after a run that was never live has seen another in its place."""
    kept, stamp = (shop.photos / "p7.jpg").read_bytes(), (shop.photos / "p7.jpg").stat().st_mtime_ns
    replace_a_photo(shop)
    preprocess(shop, "meanwhile")
    (shop.photos / "p7.jpg").write_bytes(kept)
    os.utime(shop.photos / "p7.jpg", ns=(stamp, stamp))
    preprocess(shop, "back")


def split_otherwise(shop: Shop) -> None:
    shop.write_config(preprocess={"test_share": 0.3})


@pytest.mark.parametrize("change", [replace_a_photo, retitle_an_item, prepare_another_photo, split_otherwise])
def test_where_something_is_new_the_photos_are_resolved_anew(change: Callable[[Shop], None], tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 10)
    preprocess(shop, "first")
    make_live(shop.store, "first")
    change(shop)
    second = preprocess(shop, "second")
    assert second["outputs"]["photos"] == "runs/second/preprocess/photos"
    assert len(shop.prepared("second")) == 10
