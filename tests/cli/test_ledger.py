"""Nothing is lost: every row and every photo of a catalogue full of trouble is accounted for, as the truth has it."""

import csv
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipelines.demo.honest import ODD_KINDS
from pipelines.store import UnitTable
from tests.catalogue.synthetic import ITEMS
from tests.cli.conftest import Done


def balances(counts: dict[str, int]) -> bool:
    return counts["in"] == counts["ok"] + counts["skipped"] + counts["rejected"]


def rows_in(done: Done, name: str) -> int:
    return len((done.shop.root / name).read_bytes().splitlines()) - 1


def planted(done: Done, where: str) -> dict[str, str]:
    """Bad photo file, or row as file:line, -> the code that the truth expects; the first row is in the second line."""
    bad = [one for one in done.truth["poison"] if (one["where"] == "photo") == (where == "photo")]
    return {one.get("file") or f"{one['where']}:{one['row'] + 1}": one["code"] for one in bad if one["code"]}


def test_the_trouble_is_of_many_kinds(done: Done) -> None:
    kinds = {one["kind"] for one in done.truth["poison"]}
    assert len(kinds) >= 30
    assert len(done.truth["poison"]) >= 0.03 * ITEMS


def test_every_row_of_the_feeds_is_accounted_for(done: Done) -> None:
    counts = done.manifest("catalogue")["counts"]
    assert counts["in"] == rows_in(done, "products.csv") + rows_in(done, "street.csv")
    assert balances(counts)
    expected = planted(done, "row")
    assert counts["rejected"] == len(expected) == sum(done.manifest("catalogue")["rejects"].values())
    older = [one for one in done.truth["poison"] if one["where"] != "photo" and not one["code"]]
    assert counts["skipped"] == len(older)


def test_exactly_the_rows_that_the_truth_names_are_rejected_with_its_codes(done: Done) -> None:
    found = {one["source"]: one["code"] for one in done.shop.table("rejects")}
    assert found == planted(done, "row")
    assert done.manifest("catalogue")["rejects"] == Counter(found.values())
    assert all(one["detail"] for one in done.shop.table("rejects"))


def test_exactly_the_items_of_bad_rows_are_missing(done: Done) -> None:
    lost = {one["sku"] for one in done.truth["poison"] if one["where"] == "products.csv" and not one["in_index"]}
    everyone = {f"S{n:07d}" for n in range(ITEMS)}
    assert done.shop.item_ids() == everyone - lost
    assert done.manifest("catalogue")["counts"]["items"] == ITEMS - len(lost)


def test_every_photo_of_the_catalogue_is_accounted_for(done: Done) -> None:
    manifest, photos = done.manifest("preprocess"), done.shop.prepared("r")
    assert manifest["counts"]["in"] == done.manifest("catalogue")["counts"]["photos"] == len(photos)
    assert balances(manifest["counts"])
    assert manifest["counts"]["ok"] == sum(not one["code"] for one in photos)
    assert manifest["counts"]["skipped"] == 0
    assert manifest["rejects"] == Counter(one["code"] for one in photos if one["code"])


def test_exactly_the_photos_that_the_truth_names_are_rejected_with_its_codes(done: Done) -> None:
    found = {one["image_uri"]: one["code"] for one in done.shop.prepared("r") if one["code"]}
    assert found == planted(done, "photo")


def as_shown(path: Path) -> np.ndarray:
    """What a browser shows of the first frame, over white; colour profiles aside."""
    with Image.open(path) as image:
        if image.mode == "I;16":
            image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
        layer = ImageOps.exif_transpose(image).convert("RGB" if image.mode == "CMYK" else "RGBA").convert("RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB"), float)


def test_every_odd_but_honest_photo_is_prepared_as_a_browser_shows_it(done: Done) -> None:
    photos = {one["image_uri"]: one for one in done.shop.prepared("r")}
    images = UnitTable(done.shop.store, f"images/{done.manifest('preprocess')['outputs']['prep_id']}")
    assert {odd["kind"] for odd in done.truth["odd"]} == set(ODD_KINDS)
    for odd in done.truth["odd"]:
        row = photos[odd["file"]]
        assert row["code"] == "", odd
        [image] = images.read_rows(row["image_unit"], [row["image_row"]])["image"].to_pylist()
        prepared, shown = np.asarray(Image.open(io.BytesIO(image)), float), as_shown(done.shop.root / odd["file"])
        assert prepared.shape == shown.shape == (60, 48, 3), odd  # no larger than the canvas, so not resized
        assert np.abs(prepared - shown).mean() < (12 if odd["kind"] == "icc_jpeg" else 4), odd
        assert np.abs(shown[::-1] - shown).mean() > 8, "a photo that looks the same upside down shows nothing"


def test_exact_copies_are_one_digest_and_stand_on_one_side(done: Done) -> None:
    photos = {one["image_uri"]: one for one in done.shop.prepared("r")}
    pairs = done.truth["duplicates"]["exact"]
    assert len(pairs) >= 3
    for pair in pairs:
        one, other = photos[pair["file"]], photos[pair["of"]]
        assert one["item_id"] != other["item_id"]
        for name in ("digest", "image_unit", "image_row", "phash", "group", "split"):
            assert one[name] == other[name]
    counts = done.manifest("preprocess")["counts"]
    distinct = {one["digest"] for one in photos.values() if not one["code"]}
    assert counts["prepared"] == len(distinct) == counts["ok"] - len(pairs)
    missing = [one for one in photos.values() if one["code"] in {"missing", "not_a_file"}]
    assert counts["fetched"] == counts["in"] - len(missing)


def test_equal_titles_stand_on_one_side_and_the_splits_are_about_as_large_as_asked(done: Done) -> None:
    titles = {one["item_id"]: one["title"] for one in done.shop.table("items")}
    sides: dict[str, set[str]] = {}
    for photo in done.shop.prepared("r"):
        sides.setdefault(titles[photo["item_id"]], set()).add(photo["split"])
    assert all(len(side) == 1 for side in sides.values())
    share = Counter(next(iter(side)) for side in sides.values())
    total = sum(share.values())
    assert share["val"] / total == pytest.approx(0.1, abs=0.06)
    assert share["test"] / total == pytest.approx(0.1, abs=0.06)


def test_street_photos_keep_their_boxes_and_roles(done: Done) -> None:
    streets = {one["image_uri"]: one for one in done.shop.prepared("r") if one["role"] == "street"}
    assert {uri: one["box"] for uri, one in streets.items()} == done.truth["boxes"]
    assert {uri: one["item_id"] for uri, one in streets.items()} == done.truth["street"]


def test_each_stage_ends_with_one_json_object_and_tells_its_rejects_on_stderr(done: Done) -> None:
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["stage"] for line in lines] == ["catalogue", "preprocess"]
    for line in lines:
        manifest = done.manifest(line["stage"])
        assert line == {name: manifest[name] for name in ("stage", "run_id", "counts", "seconds", "uri")}
        assert f"{line['stage']}: {line['counts']['rejected']} of {line['counts']['in']} rejected: " in done.stderr


def test_the_feed_has_the_rows_that_the_truth_counts(done: Done) -> None:
    with (done.shop.root / "products.csv").open(encoding="utf-8", errors="replace", newline="") as file:
        assert len(list(csv.reader(file))) == done.truth["rows"] + 1
