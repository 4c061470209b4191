"""Catalogue and preprocess die before and after each of their jobs, and come to what an undisturbed run comes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.runs.manifest import read_manifest
from tests.catalogue.shop import Shop, plain_shop
from tests.cli.killing import what_it_did
from tests.jobs.killing import WHEN, are_all, jobs_noted, killed_at

STAGES = ("catalogue", "preprocess")
JOBS = ("catalogue-merge", "preprocess-plan", "preprocess-units", "preprocess-resolve")


def shop_in(folder: Path) -> Shop:
    shop = plain_shop(folder, 12)
    shop.write_config(preprocess={"photos_a_unit": 4})
    return shop


def result(shop: Shop) -> dict[str, Any]:
    manifests = {stage: read_manifest(shop.store, "r", stage) for stage in STAGES}
    done = {stage: what_it_did(found) for stage, found in manifests.items() if found}
    return {"photos": shop.prepared("r"), "stages": {stage: one["counts"] for stage, one in done.items()}}


@pytest.fixture(scope="module")
def peaceful(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[str]]:
    """The result of a run in peace, and the names of its jobs."""
    shop = shop_in(tmp_path_factory.mktemp("peaceful"))
    with jobs_noted() as ran:
        shop.run("r", *STAGES)
    return result(shop), ran


def test_these_are_all_jobs(peaceful: tuple[dict[str, Any], list[str]]) -> None:
    assert are_all(JOBS, peaceful[1])


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("job", JOBS)
def test_killed_at_a_job(job: str, when: str, peaceful: tuple[dict[str, Any], list[str]], tmp_path: Path) -> None:
    shop = shop_in(tmp_path / "shop")
    with killed_at(job, when):
        shop.run("r", *STAGES)
    before = {entry.name for entry in shop.store.list("runs/r")}
    shop.run("r", *STAGES)
    assert before <= {entry.name for entry in shop.store.list("runs/r")}  # nothing of the first attempt was removed
    found, wanted = result(shop), peaceful[0]
    assert [{**one, "image_unit": ""} for one in found["photos"]] == [
        {**one, "image_unit": ""} for one in wanted["photos"]
    ]
    assert found["stages"] == wanted["stages"]
