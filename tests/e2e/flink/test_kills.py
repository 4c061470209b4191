"""SIGKILL on a cluster: a TaskManager, a Python worker, the launcher; the result is that of an undisturbed run.

What no other attempt would be spared, an error of our own, ends the job instead.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.compute as pc
import pytest

from pipelines.runs.stages import STAGES
from pipelines.store import Store, UnitTable, open_store
from tests.e2e import facts
from tests.e2e.conftest import Shop, copy_of
from tests.e2e.facts import STEPS
from tests.e2e.flink.conftest import PATIENCE_S, TASK_MANAGERS, Cluster, on_flink
from tests.signals import ctrl_c_is_heard
from tests.waiting import until

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(1800)]

Kill = Callable[[Cluster], None]
BEHIND = re.compile(r"(-\d+)?(-[0-9a-f]{8})+$")
"""What ends the name of a job, behind its stage and step."""


def kill_task_manager(cluster: Cluster) -> None:
    os.kill(cluster.pid("task-manager-1"), signal.SIGKILL)


def kill_worker(cluster: Cluster) -> None:
    os.kill(next(cluster.flink.workers()), signal.SIGKILL)


@pytest.fixture(scope="session")
def read(drawn: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The catalogue after the first stage of the run `first`."""
    shop = copy_of(drawn, tmp_path_factory.mktemp("read"))
    shop.cli("catalogue", "--run-id", "first")
    return shop


def units_of(shop: Shop, table: str) -> Callable[[], int]:
    return lambda: len(list((shop.store / table).rglob("*.keys.parquet")))


def killed_in(cluster: Cluster, shop: Shop, stage: str, step: str, ripe: Callable[[], object], kill: Kill) -> None:
    """Run a stage and kill something once `ripe`, while its job of a step runs; the stage must succeed all the same."""
    process = shop.start(stage, "--config", str(shop.config), "--run-id", "first", "--quiet")
    before = {job["jid"] for job in cluster.jobs()}

    def job() -> dict[str, object]:
        new = [one for one in cluster.jobs(f"first-{stage}-{step}") if one["jid"] not in before]
        return new[-1] if new else {}

    def ready() -> bool:
        assert process.poll() is None, (shop.folder / "killed.log").read_text()
        return bool(job()) and bool(ripe())

    until(ready, PATIENCE_S)
    assert job()["state"] == "RUNNING"
    kill(cluster)
    assert process.wait(600) == 0, (shop.folder / "killed.log").read_text()
    assert job()["state"] == "FINISHED"
    assert len([one for one in cluster.jobs(f"first-{stage}-{step}") if one["jid"] not in before]) == 1


def assert_nothing_left_visible(store: Store) -> None:
    """Whatever a killed attempt wrote is named by no commit: what commits name is whole, and nothing is there twice."""
    for prefix in ("sources", f"images/{facts.manifest(store, 'preprocess')['outputs']['prep_id']}"):
        table = UnitTable(store, prefix)
        for unit_id in table.unit_ids():
            table.verify(unit_id)
    assert not [entry.name for entry in store.list("") if ".tmp-" in entry.name or "beam-temp" in entry.name]


@pytest.mark.parametrize("kill", [kill_task_manager, kill_worker])
def test_preprocess_survives(kill: Kill, drawn: Shop, promoted: Shop, cluster: Cluster, tmp_path: Path) -> None:
    shop = on_flink(drawn, tmp_path, cluster)
    shop.configure("^photos_a_unit = 150$", "photos_a_unit = 20")
    shop.cli("catalogue", "--run-id", "first")
    done = units_of(shop, "sources")
    killed_in(cluster, shop, "preprocess", "units", lambda: done() >= 1, kill)
    here, there = open_store(str(shop.store)), open_store(str(promoted.store))
    assert facts.ledger(here, "preprocess") == facts.ledger(there, "preprocess")
    assert facts.images(here) == facts.images(there)
    same = ["image_unit", "image_row"]  # where they lie differs: the units are smaller here
    assert facts.photos(here).drop_columns(same).equals(facts.photos(there).drop_columns(same))
    assert_nothing_left_visible(here)


def test_embed_survives(trained: Shop, promoted: Shop, cluster: Cluster, tmp_path: Path) -> None:
    shop = on_flink(trained, tmp_path, cluster)
    killed_in(cluster, shop, "embed", "units", lambda: list(cluster.flink.workers()), kill_task_manager)
    here, there = open_store(str(shop.store)), open_store(str(promoted.store))
    assert facts.ledger(here, "embed") == facts.ledger(there, "embed")
    assert facts.vectors(here).keys() == facts.vectors(there).keys()
    assert_nothing_left_visible(here)


@pytest.mark.parametrize("step", ["gather", "assemble"])
def test_index_survives(step: str, trained: Shop, promoted: Shop, cluster: Cluster, tmp_path: Path) -> None:
    shop = on_flink(trained, tmp_path, cluster)
    shop.cli("embed", "--run-id", "first")
    killed_in(cluster, shop, "index", step, lambda: list(cluster.flink.workers()), kill_task_manager)
    here, there = open_store(str(shop.store)), open_store(str(promoted.store))
    assert facts.ledger(here, "index") == facts.ledger(there, "index")
    assert facts.manifest(here, "index")["outputs"] == facts.manifest(there, "index")["outputs"]
    assert_nothing_left_visible(here)


def test_a_kill_in_every_job_of_a_run_changes_nothing(
    drawn: Shop, promoted: Shop, cluster: Cluster, tmp_path: Path
) -> None:
    shop = on_flink(drawn, tmp_path, cluster)
    shutil.copytree(promoted.store / "models", shop.store / "models")  # an equal training is adopted, not done again
    shutil.copytree(promoted.store / "taxonomy", shop.store / "taxonomy")
    struck: dict[str, str] = {}
    for run_id in ("first", "second"):  # `drift` compares with what is live, and runs in the second alone
        if run_id == "second":
            take_out_an_item(shop)
        process = shop.start("run", "--config", str(shop.config), "--run-id", run_id, "--quiet")
        while process.poll() is None:
            strike_new_jobs(cluster, run_id, struck)
            time.sleep(0.1)
        assert process.returncode == 0, (shop.folder / "killed.log").read_text()
    assert set(struck) >= {f"{stage}-{step}" for stage, steps in STEPS.items() for step in steps if stage != "again"}
    for name, job_id in struck.items():
        assert cluster.failures(job_id), f"no attempt of {name} failed"
        assert {job["state"] for job in cluster.jobs(name) if job["jid"] == job_id} == {"FINISHED"}
    here, there = open_store(str(shop.store)), open_store(str(promoted.store))
    for stage in STAGES:
        assert facts.ledger(here, stage) == facts.ledger(there, stage), stage
    assert facts.images(here) == facts.images(there)
    assert facts.vectors(here).keys() == facts.vectors(there).keys()
    assert facts.manifest(here, "index")["outputs"] == facts.manifest(there, "index")["outputs"]
    assert_nothing_left_visible(here)


def take_out_an_item(shop: Shop) -> None:
    """Take an item that is in the gallery out of the feed."""
    photos = facts.photos(open_store(str(shop.store)))
    gone = photos.filter((pc.field("code") == "") & (pc.field("role") == "main"))["item_id"][0].as_py()
    feed = shop.folder / "products.csv"
    rows = feed.read_bytes().splitlines(keepends=True)
    feed.write_bytes(b"".join(row for row in rows if not row.startswith(f"{gone},".encode())))


def strike_new_jobs(cluster: Cluster, run_id: str, struck: dict[str, str]) -> None:
    """Kill all TaskManagers as soon as a job of a step that was not struck yet computes, and start them again."""
    for job in cluster.jobs(f"{run_id}-"):
        name = BEHIND.sub("", job["name"].partition(f"{run_id}-")[2])
        if job["state"] == "RUNNING" and name not in struck and "RUNNING" in cluster.vertices(job["jid"]):
            struck[name] = job["jid"]
            for number in range(1, TASK_MANAGERS + 1):
                os.kill(cluster.pid(f"task-manager-{number}"), signal.SIGKILL)
            until(lambda: not any("task-manager" in one for one, _ in cluster.flink.processes()), PATIENCE_S)
            cluster.whole()


def test_a_damaged_unit_ends_the_job_at_the_first_attempt(trained: Shop, cluster: Cluster, tmp_path: Path) -> None:
    shop = on_flink(trained, tmp_path, cluster)
    store = open_store(str(shop.store))
    images = UnitTable(store, f"images/{facts.manifest(store, 'preprocess')['outputs']['prep_id']}")
    name = images.data_name(images.unit_ids()[0])
    (shop.store / name).write_bytes((shop.store / name).read_bytes()[:-100])
    failed = shop.cli("embed", "--run-id", "first", code=1)
    assert re.search(rf"{name} (is damaged|does not match its checksum)", failed.stderr)
    job = cluster.jobs("first-embed-units")[-1]
    assert job["state"] == "CANCELED"
    assert f"/#/job/running/{job['jid']}" in failed.stderr
    assert len(cluster.failures(job["jid"])) == 1


@pytest.mark.parametrize(("stage", "step"), [("catalogue", "merge"), ("preprocess", "plan"), ("embed", "plan")])
def test_the_launchers_next_attempt_waits_for_the_job_that_still_runs(
    stage: str, step: str, request: pytest.FixtureRequest, promoted: Shop, cluster: Cluster, tmp_path: Path
) -> None:
    start: Shop = request.getfixturevalue({"catalogue": "drawn", "preprocess": "read", "embed": "trained"}[stage])
    shop, name = on_flink(start, tmp_path, cluster), f"first-{stage}-{step}"
    before = {job["jid"] for job in cluster.jobs()}
    process = shop.start(stage, "--config", str(shop.config), "--run-id", "first")
    until(lambda: [job for job in cluster.jobs(name) if job["jid"] not in before], PATIENCE_S)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert cluster.jobs(name)[-1]["state"] == "RUNNING"
    again = shop.cli(stage, "--run-id", "first")
    assert "runs on Flink" in again.stderr
    assert "waiting for it" in again.stderr
    assert len([job for job in cluster.jobs(name) if job["jid"] not in before]) == 1
    here, there = open_store(str(shop.store)), open_store(str(promoted.store))
    assert facts.ledger(here, stage) == facts.ledger(there, stage)
    assert all(mine.equals(other) for mine, other in zip(facts.catalogue(here), facts.catalogue(there), strict=True))


def test_ctrl_c_cancels_the_job(drawn: Shop, cluster: Cluster, tmp_path: Path) -> None:
    shop = on_flink(drawn, tmp_path, cluster)
    before = {job["jid"] for job in cluster.jobs()}

    def mine() -> list[str]:
        return [job["state"] for job in cluster.jobs("first-catalogue-merge") if job["jid"] not in before]

    with ctrl_c_is_heard():
        process = shop.start("catalogue", "--config", str(shop.config), "--run-id", "first")
    until(mine, PATIENCE_S)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) != 0
    until(lambda: mine() == ["CANCELED"], PATIENCE_S)
