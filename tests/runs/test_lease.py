"""The lease of a stage: one process at a time holds it, keeps it through errors, and stops when it is another's."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import StageError
from pipelines.runs import lease as leases
from pipelines.runs import owner as owners
from pipelines.runs.context import RunContext
from pipelines.runs.lease import STALE_S, Lease, LeaseLostError, lease_is_live
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.manifest import read_manifest
from pipelines.runs.owner import Owner
from pipelines.runs.sequence import run_stage
from pipelines.store import Store, UnavailableError
from pipelines.store.folder import FolderStore
from pipelines.telemetry.progress import Progress
from tests.runs.test_sequence import make_config

NAME = "runs/r1/embed/lease.json"
WHAT = "embed of run 'r1'"
HOLDER = """
import sys, time
from pipelines.runs.lease import lease
from pipelines.store import open_store
with lease(open_store(sys.argv[1]), "runs/r1/embed", "embed of run 'r1'"):
    print("holding", flush=True)
    time.sleep(60)
"""


class Flaky(FolderStore):
    """A store whose swaps fail while `away`."""

    away = False

    def swap(self, name: str, expected: bytes | None, data: bytes | None) -> bool:
        if self.away:
            raise UnavailableError("503 from the service")
        return super().swap(name, expected, data)


@pytest.fixture
def store(tmp_path: Path) -> Flaky:
    return Flaky(tmp_path / "store")


@pytest.fixture
def context(store: Store) -> RunContext:
    return RunContext(make_config(), store, "r1", 4, Progress(quiet=True))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours of a lease in a second."""
    for name, seconds in {"HEARTBEAT_S": 0.05, "RETRY_S": 0.05, "WATCHED_S": 0.3}.items():
        monkeypatch.setattr(leases, name, seconds)


def finished(_: RunContext) -> StageResult:
    return StageResult(Ledger(5, 5))


def other(store: Store, **changed: object) -> bytes:
    """Write a lease as a process of another container would; return its bytes."""
    lease = replace(Owner.new(), namespace="pid:[1]", token="theirs").as_dict() | {"heartbeat": time.time(), **changed}
    data = json.dumps(lease).encode()
    store.put(NAME, data)
    return data


def test_a_lease_stops_others_while_its_process_lives_and_is_taken_over_after_a_kill(context: RunContext) -> None:
    arguments = [sys.executable, "-c", HOLDER, context.store.uri]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    with pytest.raises(StageError, match=f"embed of run 'r1' is being done by process {process.pid} on .*; wait"):
        run_stage(context, "embed", finished)
    process.kill()
    process.wait()
    assert context.store.exists(NAME)
    assert run_stage(context, "embed", finished)["counts"]["ok"] == 5


def test_a_container_of_equal_host_name_and_process_id_is_another(context: RunContext) -> None:
    other(context.store)
    with pytest.raises(StageError, match=f"is being done by process {os.getpid()} on .*; wait for it"):
        run_stage(context, "embed", finished)


def test_two_threads_of_a_process_are_two(store: Store) -> None:
    with (
        leases.lease(store, "runs/r1/embed", WHAT),
        pytest.raises(StageError, match=f"is being done by process {os.getpid()} "),
        leases.lease(store, "runs/r1/embed", WHAT),
    ):
        pass


def test_when_a_lease_is_live() -> None:
    here = Owner.new().as_dict() | {"heartbeat": 1000.0}
    assert lease_is_live(here, 1000.0 + STALE_S)
    assert not lease_is_live(here, 1001.0 + STALE_S)
    assert not lease_is_live(here, 999.0 - STALE_S)  # a clock that is years ahead holds nothing for years
    assert not lease_is_live(here | {"process_started": "1"}, 1000.0)  # another process got the number
    container = here | {"namespace": "pid:[1]", "process_started": "1"}
    assert lease_is_live(container, 1000.0)  # its number is none of ours
    assert lease_is_live(here | {"kernel": "another machine of this name", "pid": 1 << 22}, 1000.0)


def test_a_lease_of_an_earlier_version_is_read() -> None:
    lease = {"host": "elsewhere", "pid": 77, "process_started": None, "heartbeat": 1000.0}
    assert lease_is_live(lease, 1000.0)
    assert str(Owner.of(lease)) == "process 77 on elsewhere"


def test_the_heartbeat_outlives_errors_of_the_store(store: Flaky, capsys: pytest.CaptureFixture[str]) -> None:
    with leases.lease(store, "runs/r1/embed", WHAT) as held:
        store.away = True
        time.sleep(0.3)
        held.check()  # not for long enough to be another's
        store.away = False
        before = store.read(NAME)
        time.sleep(0.3)
        assert store.read(NAME) != before
        held.check()
    assert not store.exists(NAME)
    assert capsys.readouterr().err.count("could not be renewed, trying again: 503 from the service") == 1


def test_a_lease_that_could_not_be_renewed_for_too_long_is_lost(store: Flaky, monkeypatch: pytest.MonkeyPatch) -> None:
    with leases.lease(store, "runs/r1/embed", WHAT) as held:
        store.away = True
        monkeypatch.setattr(leases, "STALE_S", 0.1)
        time.sleep(0.2)
        with pytest.raises(LeaseLostError, match=r"is lost: it could not be renewed for 0 s \(503 from the service\)"):
            held.check()


def test_a_stage_whose_lease_was_taken_writes_no_manifest_and_leaves_the_lease(context: RunContext) -> None:
    def robbed(inner: RunContext) -> StageResult:
        inner.store.delete(NAME)
        other(inner.store)
        with pytest.raises(LeaseLostError, match=r"process .* has it; what was committed stays"):
            inner.check_lease()
        return finished(inner)

    with pytest.raises(LeaseLostError, match="the lease of embed of run 'r1' is lost"):
        run_stage(context, "embed", robbed)
    assert read_manifest(context.store, "r1", "embed") is None
    assert json.loads(context.store.read(NAME))["token"] == "theirs"


def test_no_job_is_started_without_the_lease(context: RunContext) -> None:
    def robbed(inner: RunContext) -> StageResult:
        other(inner.store)
        inner.jobs("embed").run("units", lambda _: pytest.fail("a job was built"))
        return finished(inner)

    with pytest.raises(LeaseLostError):
        run_stage(context, "embed", robbed)


def test_of_two_that_find_a_stale_lease_one_takes_it(store: Flaky) -> None:
    other(store, heartbeat=time.time() - 2 * STALE_S)
    won, lost = [], []

    def take() -> None:
        try:
            lease = Lease(store, NAME, WHAT)
            lease.take()
            won.append(lease)
        except StageError as error:
            lost.append(str(error))

    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 1)


def test_a_lease_that_looks_stale_by_another_clock_is_watched(store: Flaky) -> None:
    other(store, heartbeat=time.time() - 500)
    timer = threading.Timer(0.1, lambda: other(store, heartbeat=time.time() - 500))
    timer.start()
    with pytest.raises(StageError, match="whose clock differs from this one by 500 s; wait for it"):
        Lease(store, NAME, WHAT).take()
    timer.join()


def test_what_another_finished_while_this_one_waited_for_the_lease_is_not_done_again(
    context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run_stage(context, "embed", finished)
    answers = iter([None, done])
    monkeypatch.setattr("pipelines.runs.sequence.read_manifest", lambda *_: next(answers))
    assert run_stage(context, "embed", lambda _: pytest.fail("done twice")) == done


def test_what_is_no_lease_is_named(store: Flaky) -> None:
    store.put(NAME, b"\x00")
    with pytest.raises(StageError, match=r"embed/lease.json is no lease \(.*; remove it"):
        Lease(store, NAME, WHAT).take()


def test_an_owner_is_dead_only_where_it_can_be_seen() -> None:
    gone = replace(Owner.new(), pid=1 << 22)  # beyond the largest id
    assert gone.is_dead
    assert not replace(gone, namespace=None).is_dead
    assert not replace(gone, kernel="another").is_dead
    assert owners.Owner.new() != owners.Owner.new()
