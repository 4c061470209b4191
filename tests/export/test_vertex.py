"""A release for Vertex AI Vector Search: every record fits the service's message types."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import StageError
from pipelines.export.command import export_to_folder, write_changes
from pipelines.export.schemas import About
from pipelines.export.vertex import metadata_of
from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE, UNHIDE
from pipelines.store.folder import FolderStore
from pipelines.telemetry.progress import Progress
from tests.export.world import RELEASE, World, normalised, release, same_top, shop, tied
from tests.index.gallery import DIM, Photo, digest_of

QUIET = Progress(quiet=True)


@pytest.fixture(scope="module")
def out(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vertex") / "out"
    export_to_folder(world.store, RELEASE, "vertex", str(folder), Progress(quiet=True))
    return folder


def records(out: Path) -> list[dict]:
    return [json.loads(line) for path in sorted((out / "batch").glob("*.json")) for line in path.open()]


def test_a_batch_is_a_folder_of_json_lines_and_nothing_else(out: Path) -> None:
    assert {path.suffix for path in (out / "batch").iterdir()} == {".json"}
    found = records(out)
    assert len({record["id"] for record in found}) == len(found) == 61
    one = next(record for record in found if record["id"].startswith("item-004:"))
    assert {name: value for name, value in one.items() if name != "embedding"} == {
        "id": f"item-004:{digest_of(4).hex()}",
        "restricts": [
            {"namespace": "item_id", "allow": ["item-004"]},
            {"namespace": "group_id", "allow": ["pair"]},
            {"namespace": "category", "allow": ["all", "all > leaf 0"]},
            {"namespace": "attributes.colour", "allow": ["red"]},
        ],
        "numeric_restricts": [{"namespace": "price", "value_double": 4.0}],
        "crowding_tag": "item-004",
    }


def test_records_are_datapoints(out: Path) -> None:
    from google.cloud.aiplatform_v1.types import IndexDatapoint as Datapoint

    for record in records(out):
        allow = [Datapoint.Restriction(namespace=r["namespace"], allow_list=r["allow"]) for r in record["restricts"]]
        point = Datapoint(
            datapoint_id=record["id"],
            feature_vector=record["embedding"],
            restricts=allow,
            numeric_restricts=[Datapoint.NumericRestriction(**r) for r in record["numeric_restricts"]],
            crowding_tag=Datapoint.CrowdingTag(crowding_attribute=record["crowding_tag"]),
        )
        assert len(point.feature_vector) == DIM
        np.testing.assert_allclose(np.linalg.norm(point.feature_vector), 1, atol=1e-6)


def test_the_metadata_is_that_of_google_s_own_client(out: Path) -> None:
    from google.cloud.aiplatform.matching_engine import matching_engine_index_config as config

    wanted = config.MatchingEngineIndexConfig(
        dimensions=DIM,
        algorithm_config=config.TreeAhConfig(),
        approximate_neighbors_count=150,
        distance_measure_type=config.DistanceMeasureType.DOT_PRODUCT_DISTANCE.value,
    ).as_dict()
    found = json.loads((out / "metadata.json").read_text())
    assert found.keys() == {"isCompleteOverwrite", "config"}  # the files are on this machine yet
    set_there = {name: value for name, value in wanted.items() if value is not None}
    assert found["config"] | {"algorithmConfig": set_there["algorithmConfig"]} == set_there


def test_files_in_a_bucket_are_named() -> None:
    about = About("r", "", "m", "s", "i", "c", 512, 4096)
    assert metadata_of(about, "gs://shop/out")["metadata.json"]["contentsDeltaUri"] == "gs://shop/out/batch"


def test_the_best_by_dot_product_are_those_of_the_exact_index(world: World, out: Path) -> None:
    found = records(out)
    vectors = np.array([record["embedding"] for record in found], np.float32)
    pairs = [tuple(record["id"].split(":")) for record in found]
    for number in range(0, 59, 7):
        query = normalised(world.gallery.vectors[number])
        order = np.argsort(-(vectors @ query), kind="stable")[:11]
        assert same_top(world, query, tied([pairs[n] for n in order], 10))


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A store with two releases: on the second day item 1 costs more, 7 is gone, and 20 shows another photo too."""
    gallery = shop(tmp_path_factory.mktemp("days") / "store")
    gallery.write()
    release(gallery)
    gallery.prices["item-001"] = 99.0
    gallery.photos = [photo for photo in gallery.photos if photo.item != "item-007"]
    gallery.photos.append(Photo("item-020", 30, position=1))
    gallery.write_catalogue("r2")
    gallery.adopt_vectors("r2", "r")
    return release(gallery, "r2", "20261129T131415Z-0123456789ab")


def test_what_changed_since_a_release_turns_its_batch_into_that_of_the_next(days: World, tmp_path: Path) -> None:
    for name, of in (("before", RELEASE), ("after", None)):
        export_to_folder(days.store, of, "vertex", str(tmp_path / name), QUIET)
    summary = write_changes(days.store, None, RELEASE, str(tmp_path / "changes"), QUIET)
    assert summary["counts"] == {"changed": 2, "deleted": 1}
    out = tmp_path / "changes"
    changed = {record["id"]: record for record in records(out)}
    assert changed.keys() == {f"item-001:{digest_of(0).hex()}", f"item-020:{digest_of(30).hex()}"}
    gone = [line for path in (out / "batch" / "delete").iterdir() for line in path.read_text().splitlines()]
    assert gone == [f"item-007:{digest_of(7).hex()}"]
    updated = {record["id"]: record for record in records(tmp_path / "before")} | changed
    assert {name: one for name, one in updated.items() if name not in gone} == {
        record["id"]: record for record in records(tmp_path / "after")
    }
    assert json.loads((out / "metadata.json").read_text()) == {"isCompleteOverwrite": False}
    assert write_changes(days.store, None, RELEASE, str(out), QUIET) == summary


def test_nothing_changed_is_an_empty_batch(days: World, tmp_path: Path) -> None:
    summary = write_changes(days.store, RELEASE, RELEASE, str(tmp_path / "out"), QUIET)
    assert summary["counts"] == {"changed": 0, "deleted": 0}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "export.json",
        "manifest.json",
        "metadata.json",
    ]


def test_a_target_follows_what_is_hidden_and_shown_again(days: World, tmp_path: Path) -> None:
    """Item 9 is hidden: it goes. Shown again, it comes back, though both releases hold it alike."""
    store = FolderStore(Path(shutil.copytree(days.store.root, tmp_path / "store")))
    change(store, HIDE, ["item-009"], "recalled")
    write_changes(store, None, RELEASE, str(tmp_path / "hidden"), QUIET)
    gone = [path.read_text() for path in (tmp_path / "hidden" / "batch" / "delete").iterdir()]
    assert sorted("".join(gone).split()) == [f"item-007:{digest_of(7).hex()}", f"item-009:{digest_of(9).hex()}"]
    change(store, UNHIDE, ["item-009"], "")
    summary = write_changes(store, None, RELEASE, str(tmp_path / "shown"), QUIET)
    assert summary["counts"] == {"changed": 3, "deleted": 1}
    assert f"item-009:{digest_of(9).hex()}" in {record["id"] for record in records(tmp_path / "shown")}


def test_releases_of_two_spaces_are_not_compared(days: World, tmp_path: Path) -> None:
    manifest = days.store.read_json(f"releases/{RELEASE}/manifest.json")
    days.store.create_json("models/other/model.json", days.store.read_json("models/model/model.json"))
    other = manifest | {"release_id": "r-other", "model": {"model_id": "other", "space_id": "other"}}
    days.store.create_json("releases/r-other/manifest.json", other)
    with pytest.raises(StageError, match="all vectors are others, so write the whole release, without --since"):
        write_changes(days.store, None, "r-other", str(tmp_path / "out"), QUIET)
    assert not (tmp_path / "out").exists()
