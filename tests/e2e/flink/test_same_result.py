"""A shop taken from feeds to a promoted release on Flink: what a run in process makes of the same photos and model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import psutil
import pytest

from pipelines.jobs.jobs import job_name
from pipelines.runs.stages import STAGES
from pipelines.store import Store, open_store
from tests.e2e import facts
from tests.e2e.conftest import SHORT, Shop
from tests.e2e.flink.conftest import Cluster, on_flink
from tools.setup_env import ROOT

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(3600)]

STEPS = {
    "catalogue": ["merge-{catalogue_id}"],
    "preprocess": ["plan-1", "units", "resolve"],
    "embed": ["plan-1", "units", "resolve"],
    "index": ["gather", "assemble", "complete"],
    "evaluate": ["sample", "queries", "scan"],
}
CLOSE = 1e-3
SAME_NEIGHBOURS = 0.999


def lend_model(lender: Shop, borrower: Shop) -> None:
    """Give a shop the model of another's run `first`, as if its own train stage had made it."""
    for name in ("models", "runs/first/train"):
        shutil.copytree(lender.store / name, borrower.store / name, dirs_exist_ok=True)


def run_with_model_of(lender: Shop, shop: Shop) -> Shop:
    """Take a shop through all stages, but with a model that was trained elsewhere."""
    shop.run("first", "--to", "preprocess")
    lend_model(lender, shop)
    assert tuple(shop.run("first")) == STAGES
    return shop


@pytest.fixture(scope="module")
def moved(drawn: Shop, trained: Shop, started: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The synthetic catalogue, promoted on Flink."""
    return run_with_model_of(trained, on_flink(drawn, tmp_path_factory.mktemp("moved"), started))


@pytest.fixture
def stores(moved: Shop, promoted: Shop) -> tuple[Store, Store]:
    return open_store(str(moved.store)), open_store(str(promoted.store))


def test_every_step_was_a_job_that_finished(moved: Shop, cluster: Cluster) -> None:
    store = open_store(str(moved.store))
    catalogue_id = facts.manifest(store, "catalogue")["outputs"]["catalogue_id"][:8]
    for stage, steps in STEPS.items():
        for step in (step.format(catalogue_id=catalogue_id) for step in steps):
            jobs = cluster.jobs(job_name(f"{store.uri}/runs/first/{stage}", step))
            assert jobs, step
            assert {job["state"] for job in jobs} == {"FINISHED"}, step


def test_workers_ran_the_package_that_the_launcher_sent(moved: Shop, cluster: Cluster) -> None:
    for number in (1, 2):  # each has a folder of its own here
        folder = cluster.flink.home / "tmp" / f"task-manager-{number}"
        installed = list(folder.glob("visual-search-workers-*/*/pipelines/jobs/units.py"))
        assert installed
        assert {path.read_bytes() for path in installed} == {(ROOT / "pipelines" / "jobs" / "units.py").read_bytes()}


def test_both_task_managers_had_work(moved: Shop, cluster: Cluster) -> None:
    for number in (1, 2):
        log = (cluster.flink.home / "log" / f"task-manager-{number}.log").read_text(errors="replace")
        assert "PrepareUnits" in log
        assert "switched from RUNNING to FINISHED" in log


def test_ledgers_digests_and_counts_are_equal(stores: tuple[Store, Store]) -> None:
    here, there = stores
    for stage in STEPS:
        assert facts.ledger(here, stage) == facts.ledger(there, stage), stage
    assert all(mine.equals(other) for mine, other in zip(facts.catalogue(here), facts.catalogue(there), strict=True))
    assert facts.photos(here).equals(facts.photos(there))
    assert facts.images(here) == facts.images(there)
    ids = [facts.manifest(store, "index")["outputs"]["index_id"] for store in stores]
    assert ids[0] == ids[1]  # it is made of the digests, the links, the model and the settings


def test_vectors_are_close_and_neighbours_the_same(stores: tuple[Store, Store]) -> None:
    assert_same_vectors(*stores)


def test_searches_answer_the_same(moved: Shop, promoted: Shop) -> None:
    assert_same_answers(moved, promoted, sorted((moved.folder / "photos").glob("*/*_1.jpg"))[:150])


def test_nothing_listens_beyond_loopback(moved: Shop, cluster: Cluster) -> None:
    ports: set[int] = set()
    for name, pid in cluster.flink.processes():
        for one in psutil.Process(pid).net_connections("inet"):
            if one.status == psutil.CONN_LISTEN:
                assert one.laddr.ip in {"127.0.0.1", "::ffff:127.0.0.1", "::1"}, (name, one.laddr)
                ports.add(one.laddr.port)
    assert {cluster.flink.port, cluster.flink.job_port, cluster.flink.job_port - 1} <= ports


@pytest.mark.photos
def test_fashion60_comes_to_the_same(photos: Path, started: Cluster, tmp_path: Path) -> None:
    text = (ROOT / "infra/environments/fashion60.toml").read_text(encoding="utf-8")
    text = text.replace("../../work/photos", str(photos)).replace("../../work/store-fashion60", "store")
    text = text.replace("queries = 5000", "queries = 1000\nmargins = {}")  # the model is hardly trained
    head, _, tail = text.partition("[train]")
    rest = tail[tail.index("\n[") :]
    attributes = next(line for line in tail.splitlines() if line.startswith("attributes"))
    here, there = Shop(tmp_path / "flink"), Shop(tmp_path / "process")
    for shop, more in ((here, f"\n{started.flink.settings()}"), (there, "")):
        shop.folder.mkdir()
        shop.config.write_text(f"{head}{SHORT}{attributes}\n{rest}{more}", encoding="utf-8")
    assert tuple(there.run("first")) == STAGES
    run_with_model_of(there, here)
    stores = open_store(str(here.store)), open_store(str(there.store))
    for stage in STEPS:
        assert facts.ledger(stores[0], stage) == facts.ledger(stores[1], stage), stage
    assert facts.photos(stores[0]).equals(facts.photos(stores[1]))
    assert_same_vectors(*stores)
    assert_same_answers(here, there, sorted((photos / "fashion60").rglob("*.jpg"))[::44])


def assert_same_vectors(here: Store, there: Store) -> None:
    mine, others = facts.vectors(here), facts.vectors(there)
    assert mine.keys() == others.keys()
    digests = sorted(mine)
    first, second = (np.stack([found[digest] for digest in digests]) for found in (mine, others))
    assert np.abs(first - second).max() <= CLOSE
    queries = np.random.default_rng(1).choice(len(digests), min(1000, len(digests)), replace=False)
    nearest = [np.argsort(-(found[queries] @ found.T), axis=1, kind="stable")[:, :10] for found in (first, second)]
    same = [set(a) == set(b) for a, b in zip(*(rows.tolist() for rows in nearest), strict=True)]
    assert np.mean(same) >= SAME_NEIGHBOURS


def assert_same_answers(here: Shop, there: Shop, photos: list[Path]) -> None:
    names = [str(path) for path in photos]
    answers = []
    for shop in (here, there):
        lines = shop.cli("search", "--json", *names, code=None).stdout.splitlines()
        answers.append([[hit["item_id"] for hit in json.loads(line).get("results", [])] for line in lines])
    assert len(answers[0]) == len(answers[1]) >= 0.9 * len(photos)
    assert np.mean([a == b for a, b in zip(*answers, strict=True)]) >= SAME_NEIGHBOURS
