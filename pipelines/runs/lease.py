"""The lease by which one process at a time does a stage of a run: taken, renewed and released by compare-and-swap.

The heartbeat goes on whatever the store answers. A swap that succeeds proves that nobody had the lease meanwhile. When
another has or had it, or the store cannot be asked for STALE_S seconds, the lease is lost: the stage stops at its next
job, or before its manifest, which is written under the lease.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipelines.errors import StageError
from pipelines.runs.owner import Owner
from pipelines.store import NotFoundError, Store, StoreError
from pipelines.telemetry import logs

HEARTBEAT_S = 10.0
RETRY_S = 2.0
"""How soon a heartbeat that failed is tried again."""
STALE_S = 90.0
"""How long a lease holds that is not renewed."""
WATCHED_S = 2.5 * HEARTBEAT_S
"""How long a stale lease is watched before it is taken over: its owner's clock may only be wrong."""
SWAPS = 5
"""How often a lease is taken or renewed anew, when it changes between being read and being swapped."""


class LeaseLostError(StageError):
    """The stage of this process is no longer its own."""


def lease_is_live(lease: dict[str, Any], now: float) -> bool:
    """Tell whether the process that holds the lease may still be at work; a time that lies ahead is no heartbeat."""
    return abs(now - float(lease["heartbeat"])) <= STALE_S and not Owner.of(lease).is_dead


def running_stages(store: Store, run_id: str) -> list[str]:
    """Return the stages of a run that may be at work."""
    found = []
    for stage in store.folders(f"runs/{run_id}"):
        with suppress(NotFoundError):
            if lease_is_live(store.read_json(f"runs/{run_id}/{stage}/lease.json"), time.time()):
                found.append(stage)
    return found


class Lease:
    """A lease that is held: `check` and `renew` raise LeaseLostError once it is another's."""

    def __init__(self, store: Store, name: str, what: str) -> None:
        self._store, self._name, self._what = store, name, what
        self._me = Owner.new()
        self._written: bytes | None = None
        self._since, self._renewed = time.time(), time.monotonic()
        self._swapping = threading.Lock()

    def take(self) -> None:
        """Take the lease. Raises StageError when another process holds it."""
        for _ in range(SWAPS):
            held = self._read()
            if held is not None:
                self._refuse_live(held)
            if self._swap(held):
                return
        raise StageError(f"{self._what}: others take its lease again and again; see who runs it")

    def check(self) -> None:
        """Raise LeaseLostError when the lease is another's, or could not be renewed for so long that it may be."""
        try:
            self.renew()
        except StoreError as error:
            silent_s = time.monotonic() - self._renewed
            if silent_s > STALE_S:
                raise self._lost(f"it could not be renewed for {silent_s:.0f} s ({error})") from error

    def renew(self) -> None:
        """Renew the lease now. Raises LeaseLostError, and StoreError when the store does not answer."""
        with self._swapping:
            for _ in range(SWAPS):
                if self._swap(self._written):
                    return
                held = self._read()
                if held is None or self._owner(held) != self._me:
                    raise self._lost(f"{self._owner(held)} has it" if held else "it was taken and released since")
                self._written = held  # our own, whose answer was lost
        raise StoreError(f"{self._store.uri}/{self._name} changes without its owner; see who writes there")

    def beat(self, stop: threading.Event) -> None:
        """Renew the lease until it is told to stop or the lease is lost; an error of the store is tried again."""
        failed = False
        while not stop.wait(RETRY_S if failed else HEARTBEAT_S):
            try:
                self.renew()
                failed = False
            except LeaseLostError:  # the stage hears of it when it asks
                return
            except Exception as error:  # noqa: BLE001 - the stage would go on without a lease
                if not failed:
                    logs.say(f"the lease of {self._what} could not be renewed, trying again: {error}")
                failed = True

    def release(self) -> None:
        """Give the lease back, if it is still ours; what cannot be given back goes stale."""
        with self._swapping, suppress(StoreError):
            if not self._store.swap(self._name, self._written, None):
                held = self._read()
                if held is not None and self._owner(held) == self._me:
                    self._store.swap(self._name, held, None)

    def _refuse_live(self, held: bytes) -> None:
        lease, owner = self._parsed(held), self._owner(held)
        if lease_is_live(lease, time.time()):
            raise StageError(f"{self._what} is being done by {owner}; wait for it")
        if owner.is_dead:
            return
        silent_s = time.time() - float(lease["heartbeat"])
        logs.say(
            f"{self._what} was begun by {owner}, last heard of {silent_s:.0f} s ago by its clock; "
            f"listening for {WATCHED_S:.0f} s"
        )
        time.sleep(WATCHED_S)
        if self._read() not in {held, None}:
            raise StageError(
                f"{self._what} is being done by {owner}, whose clock differs from this one by {abs(silent_s):.0f} s; "
                "wait for it, and set both clocks"
            )

    def _swap(self, held: bytes | None) -> bool:
        began = time.monotonic()  # not when the answer came: to others the lease is as old as its bytes
        mine = json.dumps(self._me.as_dict() | {"since": self._since, "heartbeat": time.time()}).encode()
        if not self._store.swap(self._name, held, mine):
            return False
        self._written, self._renewed = mine, began
        return True

    def _read(self) -> bytes | None:
        try:
            return self._store.read(self._name)
        except NotFoundError:
            return None

    def _owner(self, held: bytes) -> Owner:
        return Owner.of(self._parsed(held))

    def _parsed(self, held: bytes) -> dict[str, Any]:
        try:
            return {"heartbeat": 0.0, "pid": 0, "host": "?", **json.loads(held)}
        except (ValueError, TypeError) as error:
            raise StageError(f"{self._store.uri}/{self._name} is no lease ({error}); remove it") from error

    def _lost(self, why: str) -> LeaseLostError:
        return LeaseLostError(
            f"the lease of {self._what} is lost: {why}; what was committed stays. Run it again once nobody else does it"
        )


@contextmanager
def lease(store: Store, folder: str, what: str) -> Iterator[Lease]:
    """Hold the lease of a stage, `lease.json` in its folder, while the block runs.

    Raises StageError when another process holds it.
    """
    held = Lease(store, f"{folder}/lease.json", what)
    held.take()  # before the work starts: others, and gc, must see the lease first
    stop = threading.Event()
    thread = threading.Thread(target=held.beat, args=(stop,), name=f"lease-{folder}", daemon=True)
    thread.start()
    try:
        yield held
    finally:
        stop.set()
        thread.join()
        held.release()
