"""Index dies before and after each of its jobs, and comes to what an undisturbed run comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.index import stage
from pipelines.runs.manifest import read_manifest
from pipelines.runs.sequence import run_stage
from tests.cli.killing import what_it_did
from tests.index.gallery import Gallery, plain
from tests.jobs.killing import WHEN, are_all, jobs_noted, killed_at

JOBS = ("index-gather", "index-assemble", "index-complete")
Files = dict[str, Any]


def gallery_in(folder: Path) -> Gallery:
    gallery = plain(folder, 40)
    gallery.write()
    return gallery


def index(gallery: Gallery) -> None:
    run_stage(gallery.context(), "index", stage.run)


def files(gallery: Gallery) -> Files:
    """Return the contents of the indexes, and what the manifest says; no time stands in either."""
    manifest = read_manifest(gallery.store, "r", "index")
    assert manifest is not None
    found: Files = {entry.name: gallery.store.read(entry.name) for entry in gallery.store.list("indexes")}
    return found | {"manifest": what_it_did(manifest)}


@pytest.fixture(scope="module")
def peaceful(tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, list[str]]:
    """What a run in peace leaves, and the names of its jobs."""
    gallery = gallery_in(tmp_path_factory.mktemp("peaceful"))
    with jobs_noted() as ran:
        index(gallery)
    return files(gallery), ran


def test_these_are_all_jobs(peaceful: tuple[Files, list[str]]) -> None:
    assert are_all(JOBS, peaceful[1])


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("job", JOBS)
def test_killed_at_a_job(job: str, when: str, peaceful: tuple[Files, list[str]], tmp_path: Path) -> None:
    gallery = gallery_in(tmp_path / "store")
    with killed_at(job, when):
        index(gallery)
    assert read_manifest(gallery.store, "r", "index") is None
    assert not [entry.name for entry in gallery.store.list("indexes") if entry.name.endswith("/index.json")]
    index(gallery)
    found = files(gallery)
    assert found.keys() == peaceful[0].keys()
    assert [name for name in found if found[name] != peaceful[0][name]] == []
