"""What every stage shares: the run and its manifest, the lease, the ledger, the gates; knows no stage's work."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from pipelines.config import Config
from pipelines.jobs import Jobs
from pipelines.memory import PeakMemory
from pipelines.progress import Progress
from pipelines.store import NotFoundError, Store

ALSO_READS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "preprocess": ("catalogue.photo_root",),
        "index": ("recipe", "search", "catalogue.columns.attributes", "catalogue.columns.signals"),
        "evaluate": ("recipe", "search", "index.roles", "train.attributes", "catalogue.columns.attributes"),
    }
)
"""What a stage's result depends on beside its own section; of Beam's options and the store it must not."""
HEARTBEAT_S = 10.0
STALE_S = 90.0

Manifest = dict[str, Any]


class StageError(Exception):
    """A stage failed (exit code 1); the message says what, where and what to do."""


class GateError(Exception):
    """A gate said no (exit code 3); the message names the gate, the value and the bound."""


@dataclass(frozen=True)
class Ledger:
    """Where every input record of a stage went; `total` = `ok` + `skipped` + `rejected`."""

    total: int
    ok: int
    skipped: int = 0
    rejected: int = 0
    rejects: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.total != self.ok + self.skipped + self.rejected:
            raise StageError(
                f"the ledger does not balance: {self.total} in, but {self.ok} ok + {self.skipped} skipped + "
                f"{self.rejected} rejected = {self.ok + self.skipped + self.rejected}; this is a defect, report it"
            )
        if sum(self.rejects.values()) != self.rejected:
            raise StageError(f"{self.rejected} rejected, but the reason codes count {sum(self.rejects.values())}")

    def counts(self) -> dict[str, int]:
        """Return the ledger under its published names."""
        return {"in": self.total, "ok": self.ok, "skipped": self.skipped, "rejected": self.rejected}

    def check_share(self, stage: str, limit: float) -> None:
        """Raise StageError when more than `limit` of the input was rejected."""
        if self.total and self.rejected / self.total > limit:
            codes = ", ".join(f"{code} {n}" for code, n in sorted(self.rejects.items(), key=lambda item: -item[1]))
            raise StageError(
                f"{stage} rejected {self.rejected} of {self.total} records ({self.rejected / self.total:.1%}; {codes}),"
                f" over {stage}.max_rejected_share = {limit:.1%}; mend the input or raise the limit"
            )


@dataclass(frozen=True)
class StageResult:
    """What a stage did: its ledger, more counts (`fetched`, `inferred`, …), outputs for later stages, and notes.

    `refusal` is the reason of a gate that said no after the work was done and kept (exit code 3).
    """

    ledger: Ledger
    counts: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    uri: str = ""
    notes: list[str] = field(default_factory=list)
    refusal: str | None = None


@dataclass(frozen=True)
class Overrides:
    """What a run of the past is told instead of what the feeds, the policy and the live log say.

    `catalogue` is a number of the catalogue's log: that catalogue is taken as it was, and no feed is read.
    `deltas_after` is a file name: the deltas after it are read again, for some came late.
    `model_id` is the model to use, whatever `train.policy` says.
    `live_model` is the model that must still be live when the run promotes, and `force_reason` why all checks of what
    is newer are passed over.
    """

    catalogue: int | None = None
    deltas_after: str | None = None
    model_id: str | None = None
    live_model: str | None = None
    force_reason: str | None = None


@dataclass(frozen=True)
class RunContext:
    """What a stage is given: the config, the store, the run, and how to report progress."""

    config: Config
    store: Store
    run_id: str
    buckets: int
    progress: Progress
    accept_reason: str | None = None
    limit: int | None = None
    overrides: Overrides = Overrides()

    def prefix(self, stage: str) -> str:
        """Return the folder of a stage of this run."""
        return f"runs/{self.run_id}/{stage}"

    def jobs(self, stage: str) -> Jobs:
        """Return what runs the Beam pipelines of a stage of this run."""
        return Jobs(self.config.beam, f"{self.store.uri}/{self.prefix(stage)}")

    def outputs(self, stage: str) -> dict[str, Any]:
        """Return the outputs of an earlier stage of this run. Raises StageError when it has not finished."""
        manifest = read_manifest(self.store, self.run_id, stage)
        if manifest is None:
            raise StageError(f"run {self.run_id!r} has no finished {stage} stage; run it first: visual-search {stage}")
        outputs: dict[str, Any] = manifest["outputs"]
        return outputs


def new_run_id(now: datetime | None = None) -> str:
    """Return a run id made of the UTC time, to the second."""
    return (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")


def read_manifest(store: Store, run_id: str, stage: str) -> Manifest | None:
    """Return a finished stage's manifest, or None."""
    try:
        manifest: Manifest = store.read_json(f"runs/{run_id}/{stage}/manifest.json")
    except NotFoundError:
        return None
    return manifest


def run_stage(context: RunContext, stage: str, work: Callable[[RunContext], StageResult]) -> Manifest:
    """Run a stage unless its manifest is there, and write the manifest last.

    Raises StageError when the run did this stage with another config, or another process is at it now.
    """
    digest = context.config.digest(*_sections(stage))
    done = read_manifest(context.store, context.run_id, stage)
    if done is not None:
        if done["config_digest"] != digest:
            raise StageError(
                f"run {context.run_id!r} did {stage} with another configuration; start a new run with another --run-id"
            )
        return done
    started, memory = time.time(), PeakMemory()
    with _lease(context, stage):
        result = work(context)
    manifest = _manifest(context, stage, digest, result, started) | {"peak_memory_bytes": memory.peak_bytes()}
    context.store.create_json(f"{context.prefix(stage)}/manifest.json", manifest)
    return read_manifest(context.store, context.run_id, stage) or manifest


def last_line(manifest: Manifest) -> str:
    """Return the one JSON object that a stage prints last on stdout."""
    names = ("stage", "run_id", "counts", "seconds", "uri")
    return json.dumps({name: manifest[name] for name in names}, sort_keys=False)


def _sections(stage: str) -> tuple[str, ...]:
    return (stage, *ALSO_READS.get(stage, ()))


def _manifest(context: RunContext, stage: str, digest: str, result: StageResult, started: float) -> Manifest:
    return {
        "stage": stage,
        "run_id": context.run_id,
        "config_digest": digest,
        "counts": result.ledger.counts() | result.counts,
        "rejects": result.ledger.rejects,
        "outputs": result.outputs,
        "notes": result.notes,
        "refusal": result.refusal,
        "uri": result.uri or f"{context.store.uri}/{context.prefix(stage)}",
        "seconds": round(time.time() - started, 3),
        "started_at": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": socket.gethostname(),
    }


def lease_is_live(lease: dict[str, Any], now: float) -> bool:
    """Tell whether the process that holds the lease may still be at work."""
    if now - float(lease["heartbeat"]) > STALE_S:
        return False
    return lease["host"] != socket.gethostname() or _process_lives(int(lease["pid"]), lease.get("process_started"))


@contextmanager
def _lease(context: RunContext, stage: str) -> Iterator[None]:
    name = f"{context.prefix(stage)}/lease.json"
    try:
        held = context.store.read_json(name)
    except NotFoundError:
        held = None
    mine = {"host": socket.gethostname(), "pid": os.getpid(), "process_started": _process_start(os.getpid())}
    if held and lease_is_live(held, time.time()) and (held["host"], held["pid"]) != (mine["host"], mine["pid"]):
        raise StageError(
            f"{stage} of run {context.run_id!r} is being done by process {held['pid']} on {held['host']}; wait for it"
        )
    stop = threading.Event()

    def beat() -> None:
        context.store.put(name, json.dumps(mine | {"heartbeat": time.time()}).encode())

    def beat_on() -> None:
        while not stop.wait(HEARTBEAT_S):
            beat()

    beat()  # before the work starts: others, and gc, must see the lease first
    thread = threading.Thread(target=beat_on, name=f"lease-{stage}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        context.store.delete(name)


def _process_start(pid: int) -> str | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return None


def _process_lives(pid: int, started: str | None) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return started is None or _process_start(pid) == started
