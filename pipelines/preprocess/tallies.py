"""What was asked of hosts, kept by the lanes while they work, added up and told by the launcher."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pipelines.preprocess.job import Job
from pipelines.runs.ledger import most_frequent_first
from pipelines.shop_files.web.hosts import Tally
from pipelines.store import NotFoundError
from pipelines.telemetry.progress import Progress

TOLD_S = 30.0
"""How often the progress of a long fetch is told."""
SHOWN = 3


def keep_tallies(job: Job, name: str, tallies: str) -> None:
    """Keep what one attempt at a lane has asked so far, as `written` returns it."""
    job.store.put(f"{job.tallies}/{name}.json", tallies.encode())


def written(tallies: Mapping[str, Tally]) -> str:
    """Return tallies as JSON."""
    return json.dumps({host: tally.as_json() for host, tally in tallies.items()})


def read_tallies(job: Job) -> dict[str, Tally]:
    """Return what was asked of each host in this run, by all lanes and attempts."""
    found: dict[str, Tally] = {}
    for entry in list(job.store.list(job.tallies)):
        try:
            kept = job.store.read_json(entry.name)
        except NotFoundError:  # the stage was planned afresh meanwhile
            continue
        for host, tally in kept.items():
            found[host] = found.get(host, Tally()) + Tally.of_json(tally)
    return found


def host_notes(tallies: Mapping[str, Tally]) -> list[str]:
    """Return what people should hear of the hosts: how much came from where, and who was left alone."""
    ranked = sorted(tallies.items(), key=lambda one: (-one[1].requests, one[0]))
    lines = [f"{host}: {told(tally)}" for host, tally in ranked[:SHOWN]]
    if len(ranked) > SHOWN:
        rest = sum((tally for _, tally in ranked[SHOWN:]), Tally())
        lines.append(f"{len(ranked) - SHOWN} more hosts: {told(rest)}")
    failed = [host for host, tally in ranked if tally.left_alone]
    if failed:
        lines.append(
            f"hosts that failed throughout and were left alone: {', '.join(failed[:SHOWN])}"
            f"{f' and {len(failed) - SHOWN} more' if len(failed) > SHOWN else ''}; the next run asks them again"
        )
    return lines


def traffic(tallies: Mapping[str, Tally]) -> dict[str, int]:
    """Return what the hosts were asked and gave in all, as counts of the stage; none where no host was asked."""
    if not tallies:
        return {}
    every = sum(tallies.values(), Tally())
    return {"requests": every.requests, "bytes": every.bytes}


def told(tally: Tally) -> str:
    """Return a tally in words."""
    parts = [f"{tally.requests} requests", f"{tally.fetched} photos", f"{tally.bytes / 1e6:.1f} MB"]
    if tally.seconds:
        parts.append(f"{tally.requests / tally.seconds:.0f} a second")
    if tally.unchanged:
        parts.append(f"{tally.unchanged} unchanged")
    if tally.codes:
        parts.append("not had: " + ", ".join(f"{code} {n}" for code, n in most_frequent_first(tally.codes)))
    return ", ".join(parts)


@contextmanager
def telling(progress: Progress, job: Job, total: int) -> Iterator[None]:
    """Tell every half minute, while the block runs, how much of `total` photos behind addresses is had."""
    if not total:
        yield
        return
    stop = threading.Event()

    def tell() -> None:
        began = time.monotonic()
        while not stop.wait(TOLD_S):
            tallies = read_tallies(job)
            every = sum(tallies.values(), Tally())
            over = every.fetched + every.unchanged + Counter(every.codes).total()
            if over:
                left_s = (time.monotonic() - began) * max(0, total - over) / over
                progress.say(f"preprocess: {over} of {total} addresses, about {left_s / 60:.0f} min left")
                for line in host_notes(tallies):
                    progress.say(f"preprocess: {line}")

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
