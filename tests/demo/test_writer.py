import csv
import dataclasses
import hashlib
import re
from pathlib import Path

import pytest
from PIL import Image

from pipelines.catalogue.arrivals import Arrival, Rows
from pipelines.catalogue.mapping import Mapper
from pipelines.catalogue.merge import Terms, merge
from pipelines.catalogue.rows import read_rows
from pipelines.catalogue.state import State
from pipelines.catalogue.values import RejectError
from pipelines.config import load_config
from pipelines.demo.fates import POISON_KINDS, Shares
from pipelines.demo.honest import ODD_KINDS
from pipelines.demo.writer import write_catalogue
from pipelines.shop_files.fetch import Fetcher, FetchError
from transforms.image import prepare
from transforms.phash import hamming
from transforms.photo import BadPhoto, PrepSpec

SOUND = Shares(0, 0, 0, 0, 0)
SPEC = PrepSpec(100, 80)


def digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[name] = "folder"
    return found


def verdict(folder: Path, file: str) -> str:
    """What becomes of a photo: its reject code, or ""."""
    try:
        prepare(Fetcher(str(folder), 1 << 24).fetch(file), SPEC)
    except (FetchError, BadPhoto) as error:
        return error.code
    return ""


def photo_files(folder: Path) -> list[str]:
    with (folder / "products.csv").open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.reader(file))
    return sorted({cell for row in rows[1:] for cell in row if cell.startswith("photos/")})


def test_equal_arguments_give_equal_bytes_for_any_number_of_workers(tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        write_catalogue(tmp_path / name, items=80, leaf_categories=20, seed=5, size=(64, 80), workers=workers)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_another_seed_gives_other_products(tmp_path):
    for seed in (1, 2):
        write_catalogue(tmp_path / str(seed), items=8, leaf_categories=4, seed=seed, size=(64, 80))
    one, two = digests(tmp_path / "1"), digests(tmp_path / "2")
    assert {name for name in one if one.get(name) == two.get(name) and one[name] != "folder"} <= {"config.toml"}


def test_the_counts_are_those_of_the_files(summary, truth, folder):
    assert (summary.items, summary.leaf_categories) == (truth["items"], truth["leaf_categories"]) == (150, 45)
    assert summary.rows == len((folder / "products.csv").read_bytes().splitlines()) - 1
    assert summary.street_photos == len(list((folder / "street").rglob("*.jpg"))) > 20
    assert summary.impressions == len((folder / "clicks.csv").read_bytes().splitlines()) - 1
    assert summary.bad_photos + summary.bad_rows == len(truth["poison"])
    assert summary.odd_photos == len(truth["odd"])


def test_every_kind_of_poison_and_of_odd_photo_is_planted(truth):
    planted = {bad["kind"] for bad in truth["poison"]}
    assert planted == {*POISON_KINDS, "street_bad_box", "street_unknown_item"}
    assert {odd["kind"] for odd in truth["odd"]} == set(ODD_KINDS)


def test_exactly_the_photos_that_the_truth_names_are_rejected(truth, folder):
    expected = {bad["file"]: bad["code"] for bad in truth["poison"] if bad["where"] == "photo"}
    found = {file: code for file in photo_files(folder) if (code := verdict(folder, file))}
    assert found == expected


def test_exactly_the_rows_that_the_truth_names_are_rejected(truth, folder):
    section = load_config(folder / "config.toml").catalogue.model_copy(update={"media": None})
    found, arrivals = {}, []
    for row in read_rows(folder / "products.csv"):
        try:
            if row.code:
                raise RejectError(row.code, row.detail)
            item = Mapper(section).item(row.values, 0)
            arrivals.append(Arrival(row.number, f"products.csv:{row.number}", "snapshot", item))
        except RejectError as error:
            found[row.number] = error.code
    merged = merge(State(), Rows(arrivals), Terms(snapshot_at=1e12))
    found |= {int(reject.source.partition(":")[2]): reject.code for reject in merged.rejects}
    rows = [bad for bad in truth["poison"] if bad["where"] == "products.csv"]
    assert found == {bad["row"]: bad["code"] for bad in rows if bad["code"]}
    assert merged.skipped == sum(bad["code"] == "" for bad in rows)  # older duplicates
    lost = {bad["sku"] for bad in rows if not bad["in_index"]}
    assert len(merged.state.items) == 150 - len(lost)
    assert not lost & set(merged.state.items)


def test_exactly_the_street_rows_that_the_truth_names_are_rejected(truth, folder):
    config = load_config(folder / "config.toml")
    media = config.catalogue.media
    assert media is not None
    boxes, bad = {}, {}
    for row in read_rows(folder / "street.csv"):
        try:
            item_id, photo = Mapper(config.catalogue).media(row.values, media)
            if item_id in truth["street"].values():
                boxes[photo.image_uri] = list(photo.box or ())
        except RejectError as error:
            bad[row.number] = error.code
    assert boxes == truth["boxes"]
    spoilt = [b for b in truth["poison"] if b["where"] == "street.csv"]
    assert bad == {b["row"]: b["code"] for b in spoilt if b["code"] == "bad_box"}


def test_boxes_lie_inside_their_photos(truth, folder):
    assert truth["boxes"].keys() == truth["street"].keys()
    for file, (left, top, right, bottom) in truth["boxes"].items():
        with Image.open(folder / file) as photo:
            assert photo.size == (80, 100)
        assert 0 <= left < right <= 80
        assert 0 <= top < bottom <= 100
        assert (right - left) * (bottom - top) > 0.02 * 80 * 100


def test_exact_copies_have_equal_bytes_and_near_copies_look_alike(truth, folder):
    exact, near = truth["duplicates"]["exact"], truth["duplicates"]["near"]
    assert len(exact) >= 3
    assert len(near) >= 3
    for pair in exact:
        assert pair["file"] != pair["of"]
        assert (folder / pair["file"]).read_bytes() == (folder / pair["of"]).read_bytes()
    hashes = [[prepare((folder / pair[key]).read_bytes(), SPEC).phash for key in ("file", "of")] for pair in near]
    assert all((folder / pair["file"]).read_bytes() != (folder / pair["of"]).read_bytes() for pair in near)
    assert sorted(hamming(a, b) for a, b in hashes)[len(hashes) // 2] <= 8


def test_no_other_two_photos_have_equal_bytes(truth, folder):
    meant = {pair["file"] for pair in truth["duplicates"]["exact"]} | {
        bad["file"] for bad in truth["poison"] if bad["where"] == "photo"
    }
    others = [file for file in photo_files(folder) if file not in meant]
    assert len({hashlib.sha256((folder / file).read_bytes()).digest() for file in others}) == len(others)


def test_variants_are_the_rows_of_one_parent(truth, folder):
    with (folder / "products.csv").open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.reader(file))
    parents = {row[0]: row[1] for row in rows[1:] if re.fullmatch(r"S\d{7}", row[0])}
    assert truth["variants"]
    for parent, skus in truth["variants"].items():
        assert len(skus) > 1
        assert all(parents[sku] == parent for sku in skus if sku in parents)


def test_photos_come_near_the_size_asked_for(tmp_path):
    write_catalogue(
        tmp_path, items=30, leaf_categories=10, seed=1, size=(240, 300), photo_bytes=20_000, shares=SOUND, max_photos=1
    )
    sizes = [path.stat().st_size for path in (tmp_path / "photos").rglob("*.jpg")]
    assert len(sizes) == 30
    assert sum(sizes) / 30 == pytest.approx(20_000, rel=0.25)


def test_a_folder_that_holds_something_is_refused(folder):
    with pytest.raises(FileExistsError, match="holds something already; name a new or an empty folder"):
        write_catalogue(folder, items=10, leaf_categories=2, seed=1)


def test_numbers_that_cannot_be_met_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"size=\(20, 200\): photos have 48 to 4000 pixels a side"):
        write_catalogue(tmp_path, items=10, leaf_categories=2, seed=1, size=(20, 200))
    with pytest.raises(ValueError, match="max_photos=5: the feed has columns for 1 to 4"):
        write_catalogue(tmp_path, items=10, leaf_categories=2, seed=1, max_photos=5)
    assert not list(tmp_path.iterdir())


def test_a_summary_says_where_it_is(summary, folder):
    assert dataclasses.asdict(summary)["folder"] == folder
