"""A release as Parquet: every column holds what docs/export.md says."""

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import StageError
from pipelines.export import command, hashes
from pipelines.export.command import export_to_folder
from pipelines.export.schemas import OUT_ITEMS, hashes_schema, vectors_schema
from pipelines.export.source import Source
from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE
from pipelines.hidden.settled import IDS
from pipelines.releases.release import read_release
from pipelines.store import Log, NotFoundError
from pipelines.store.folder import FolderStore
from pipelines.tables.apart import NOTHING_APART
from pipelines.tables.buckets import read_bucket
from pipelines.telemetry.progress import Progress
from tests.export.world import COUNT, RELEASE, World, normalised
from tests.index.gallery import BITS, DIM, digest_of

DOCS = Path(__file__).parents[2] / "docs" / "export.md"


@pytest.fixture(scope="module")
def out(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parquet") / "out"
    export_to_folder(world.store, None, "parquet", str(folder), Progress(quiet=True))
    return folder


def test_vectors_are_one_row_an_item_and_photo(world: World, out: Path) -> None:
    table = pq.read_table(out / "vectors").sort_by([("item_id", "ascending"), ("position", "ascending")])
    assert table.schema.equals(vectors_schema(DIM))
    photo_of = {digest_of(n).hex(): n for n in range(COUNT + 4)}
    rows = table.drop_columns(["embedding"]).to_pylist()
    assert [(row["item_id"], photo_of[row["photo"]], row["image_uri"], row["position"]) for row in rows[:6]] == [
        ("item-000", 0, "item-000-0.jpg", 0),
        ("item-000", COUNT, f"item-000-{COUNT}.jpg", 1),
        ("item-000", COUNT + 1, f"item-000-{COUNT + 1}.jpg", 2),
        ("item-001", 0, "item-001-0.jpg", 0),  # shows item 0's photo
        ("item-002", 2, "item-002-2.jpg", 0),  # lists it twice
        ("item-003", 3, "item-003-3.jpg", 0),
    ]
    assert len(rows) == 61
    assert {row["item_id"] for row in rows} == {f"item-{n:03}" for n in range(COUNT - 1)}
    embeddings = table["embedding"].combine_chunks().flatten().to_numpy().reshape(-1, DIM)
    assert embeddings.dtype == np.float32
    wanted = np.stack([normalised(world.gallery.vectors[photo_of[row["photo"]]]) for row in rows])
    np.testing.assert_allclose(embeddings, wanted, rtol=0, atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, rtol=0, atol=1e-6)


def test_items_are_all_of_the_catalogue_with_or_without_vectors(out: Path) -> None:
    table = pq.read_table(out / "items").sort_by("item_id")
    assert table.schema.equals(OUT_ITEMS)
    rows = table.to_pylist()
    assert [row["item_id"] for row in rows] == [f"item-{n:03}" for n in range(COUNT)]
    assert [row["photos"] for row in rows] == [3, *[1] * (COUNT - 2), 0]
    assert (rows[0]["image_uri"], rows[-1]["image_uri"]) == ("item-000-0.jpg", None)
    assert rows[4] == {
        "item_id": "item-004",
        "group_id": "pair",
        "category": ["all", "leaf 0"],
        "title": "the item-004",
        "price": 4.0,
        "currency": None,
        "availability": None,
        "attributes": [("colour", "red")],
        "signals": [("sales", 3.0)],
        "updated_at": None,
        "image_uri": "item-004-4.jpg",
        "photos": 1,
        "not_alike": [],
    }


@pytest.mark.parametrize(
    ("entry", "kept"), [({"dated": False}, False), ({"dated": True}, True), ({}, True), (None, True)]
)
def test_the_time_of_a_file_does_not_pass_for_that_of_an_item(
    world: World, monkeypatch: pytest.MonkeyPatch, entry: dict[str, bool] | None, kept: bool
) -> None:
    now = datetime(2026, 11, 29, tzinfo=UTC)

    def dated(*arguments: Any) -> pa.Table:
        items = read_bucket(*arguments)
        at = items.schema.get_field_index("updated_at")
        return items.set_column(at, items.schema.field(at), pa.array([now] * len(items), items.schema.field(at).type))

    def logged(log: Log, _: int) -> dict[str, bool]:
        if entry is None:
            raise NotFoundError(log.prefix)
        return entry

    monkeypatch.setattr("pipelines.export.source.read_bucket", dated)
    monkeypatch.setattr("pipelines.export.source.Log.entry", logged)
    with Source(world.store, read_release(world.store, RELEASE), IDS.empty_table(), NOTHING_APART) as source:
        found = {
            value for bucket in range(source.buckets) for value in source.shown(bucket).items["updated_at"].to_pylist()
        }
    assert found == {now if kept else None}


def test_hashes_are_one_row_a_photo_that_is_in_the_index(world: World, out: Path) -> None:
    table = pq.read_table(out / "hashes")
    assert table.schema.equals(hashes_schema(BITS))
    wanted = np.packbits(world.gallery.vectors.astype(float) @ world.gallery.planes > 0, axis=1)
    numbers = [0, *range(2, COUNT - 1), COUNT, COUNT + 1]
    found = dict(zip(table["photo"].to_pylist(), table["hash"].to_pylist(), strict=True))
    assert found == {digest_of(n).hex(): wanted[n].tobytes() for n in numbers}
    assert table.num_rows == len(numbers)


def test_hidden_items_do_not_go_out(world: World, tmp_path: Path) -> None:
    """Item 1 shows item 0's photo, so that its vector and hash stay; those of item 3's photo go."""
    store = FolderStore(Path(shutil.copytree(world.store.root, tmp_path / "store")))
    progress, out = Progress(quiet=True), tmp_path / "out"
    before = export_to_folder(store, None, "parquet", str(tmp_path / "before"), progress)
    change(store, HIDE, ["item-001", "item-003"], "recalled")
    after = export_to_folder(store, None, "parquet", str(out), progress)
    assert after["counts"] == {"items": 58, "items_without_vectors": 1, "vectors": 59, "photos": 59}
    assert before["counts"]["photos"] == 60
    ids = {*pq.read_table(out / "items")["item_id"].to_pylist(), *pq.read_table(out / "vectors")["item_id"].to_pylist()}
    assert not ids & {"item-001", "item-003"}
    photos = {*pq.read_table(out / "hashes")["photo"].to_pylist()}
    assert digest_of(0).hex() in photos
    assert digest_of(3).hex() not in photos
    manifest = json.loads((out / "manifest.json").read_text())
    assert re.fullmatch("[0-9a-f]{16}", manifest["hidden"])
    assert "hidden" not in manifest["release"]
    # the folder that holds what was exported before is another export
    with pytest.raises(StageError, match="holds another export"):
        export_to_folder(store, None, "parquet", str(tmp_path / "before"), progress)


def test_a_server_gets_a_collection_of_its_own_once_other_items_are_hidden(world: World, tmp_path: Path) -> None:
    store = FolderStore(Path(shutil.copytree(world.store.root, tmp_path / "store")))
    with Source.open(store) as source:
        assert source.about.name == RELEASE
    change(store, HIDE, ["item-001"], "recalled")
    with Source.open(store) as source:
        assert re.fullmatch(f"{RELEASE}-[0-9a-f]{{16}}", source.about.name)
        assert len(source.shown_rows()) == len(source.rows)


def test_the_manifest_names_every_file_and_the_release(world: World, out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    assert {name: manifest[name] for name in ("format", "schema", "release_id", "counts")} == {
        "format": "parquet",
        "schema": 1,
        "release_id": RELEASE,
        "counts": {"items": 60, "items_without_vectors": 1, "vectors": 61, "photos": 60},
    }
    assert manifest["release"] == {
        "release_id": RELEASE,
        "created_at": "2026-11-28T13:14:15+00:00",
        "model_id": "model",
        "space_id": "space",
        "index_id": world.index_id,
        "catalogue_id": "r",
        "dim": DIM,
        "bits": BITS,
        "attributes": ["colour"],
    }
    named = {file["name"]: (file["bytes"], file["rows"]) for file in manifest["files"]}
    there = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    assert named.keys() == there.keys() - {"manifest.json", "export.json"}
    assert named == {name: (there[name].stat().st_size, pq.read_metadata(there[name]).num_rows) for name in named}


def test_many_parts_hold_what_one_would(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: Path
) -> None:
    small = replace(command.parquet.LOADER, rows_a_part=4)
    monkeypatch.setattr(command.parquet, "LOADER", small)
    monkeypatch.setitem(command.LOADERS, "parquet", small)  # type: ignore[arg-type]
    monkeypatch.setattr(hashes, "PART_ROWS", 1)
    export_to_folder(world.store, None, "parquet", str(tmp_path / "out"), Progress(quiet=True))
    for table in ("vectors", "hashes", "items"):
        parts, whole = pq.read_table(tmp_path / "out" / table), pq.read_table(out / table)
        key = [("item_id", "ascending"), ("position", "ascending")] if table == "vectors" else "photo"
        key = "item_id" if table == "items" else key
        assert parts.sort_by(key).equals(whole.sort_by(key))
    assert len(list((tmp_path / "out" / "vectors").iterdir())) >= 15
    assert len(list((tmp_path / "out" / "hashes").iterdir())) == 2


@pytest.mark.parametrize(
    ("heading", "schema"),
    [("vectors", vectors_schema(512)), ("items", OUT_ITEMS), ("hashes", hashes_schema(4096))],
)
def test_the_docs_tell_of_every_column(heading: str, schema: pa.Schema) -> None:
    section = DOCS.read_text().split(f"### `{heading}/`")[1].split("\n##")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == schema.names
