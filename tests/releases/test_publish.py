from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.releases import publish as release
from pipelines.store import NotFoundError
from pipelines.store.folder import FolderStore

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FILES = {"metrics.json": b"{}", "centroid.json": b"[]", "queries.parquet": b"PAR1", "report.html": b"<p>"}


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def test_a_reference_names_every_object_with_its_checksum(store: FolderStore) -> None:
    store.create("models/m/model.json", b"{}")
    store.create("models/m/a/b.bin", b"weights")
    found = release.reference(store, "models/m", model_id="m")
    assert found == {
        "model_id": "m",
        "objects": [
            {"uri": "models/m/a/b.bin", "sha256": hashlib.sha256(b"weights").hexdigest(), "bytes": 7},
            {"uri": "models/m/model.json", "sha256": hashlib.sha256(b"{}").hexdigest(), "bytes": 2},
        ],
    }


def test_a_reference_to_nothing_is_an_error(store: FolderStore) -> None:
    with pytest.raises(NotFoundError, match="holds nothing below 'models/m'"):
        release.reference(store, "models/m")


def test_a_release_is_named_by_its_time_and_content() -> None:
    first, same, other = (release.named({"run_id": run}, NOW) for run in ("a", "a", "b"))
    assert first == same
    assert first["release_id"].startswith("20260102T030405Z-")
    assert first["created_at"] == "2026-01-02T03:04:05+00:00"
    assert first["release_id"] != other["release_id"]
    body = {key: value for key, value in first.items() if key != "release_id"}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    assert first["release_id"].endswith(digest[:12])


def test_a_kept_release_is_published_once_the_manifest_last(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = release.named({"run_id": "a"}, NOW)
    assert release.kept(store, "runs/a/evaluate") is None
    release.keep(store, "runs/a/evaluate", manifest, FILES)
    assert release.kept(store, "runs/a/evaluate") == manifest
    created: list[str] = []
    create = store.create
    monkeypatch.setattr(store, "create", lambda name, data: created.append(name) or create(name, data))
    release.publish(store, "runs/a/evaluate", manifest)
    folder = f"releases/{manifest['release_id']}"
    assert created == [f"{folder}/{name}" for name in (*FILES, "manifest.json")]
    release.publish(store, "runs/a/evaluate", manifest)
    assert len(created) == 5
    assert store.read_json(f"{folder}/manifest.json") == manifest
    assert store.read(f"{folder}/report.html") == b"<p>"
    assert [entry.name for entry in store.list("runs")] == ["runs/a/evaluate/release/manifest.json"]


@pytest.mark.parametrize("written", [0, 1, 2, 3])
def test_a_publication_that_was_killed_is_finished(store: FolderStore, written: int) -> None:
    manifest = release.named({"run_id": "a"}, NOW)
    release.keep(store, "runs/a/evaluate", manifest, FILES)
    for name in release.FILES[:written]:
        store.create(f"releases/{manifest['release_id']}/{name}", FILES[name])
    release.publish(store, "runs/a/evaluate", manifest)
    found = {entry.name.rsplit("/", 1)[-1] for entry in store.list(f"releases/{manifest['release_id']}")}
    assert found == {*FILES, "manifest.json"}
