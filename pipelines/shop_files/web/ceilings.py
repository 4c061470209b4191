"""What a host allows, shared out among all workers and runs: connections, and moments at which requests may be sent.

One small object a host, `hosts/<host>.json`, which whoever asks that host swaps. It says who is at work with how many
connections, and from when on moments are free. A worker takes as many moments as it needs for a second or so, and the
next one takes those behind them: requests of all workers together keep the distance of the ceiling, whoever is fast.
Whoever comes later waits for connections until the others have given theirs up. The clocks of workers must agree, as
those of machines do that ask a time server.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipelines.store import NotFoundError, Store

LEASE_S = 20.0
"""How long a worker that says nothing counts as being at work."""
AHEAD_S = 1.0
"""How far ahead a worker takes moments."""
MARGIN = 0.93
"""Of a ceiling of requests: a moment that comes late by LATE_S must not make a second too full."""
LATE_S = 0.03
"""How late a moment may be used; later ones are lost, for those behind them are due."""
SWAPS = 50


@dataclass(frozen=True)
class Ceiling:
    """What a host allows over all workers: connections at once, requests a second (None: as many as there may be)."""

    connections: int
    per_second: float | None = None


@dataclass(frozen=True)
class Grant:
    """What a worker may do until `until` (seconds since 1970): so many connections, and requests at these moments."""

    connections: int
    until: float
    moments: tuple[float, ...] = ()
    is_alone: bool = True


@dataclass
class Share:
    """One worker's share of a host."""

    store: Store
    host: str
    ceiling: Ceiling
    linger_s: float
    """How long a connection stays open when it is not used."""
    clock: Callable[[], float] = time.time
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)
    _open: list[tuple[float, int]] = field(default_factory=list)
    """How many connections may have been open lately, and when: those that are not used linger."""

    @property
    def name(self) -> str:
        """The object's name in the store."""
        plain = re.sub(r"[^a-z0-9.-]", "_", self.host)[:80]
        return f"hosts/{plain}-{hashlib.sha256(self.host.encode()).hexdigest()[:8]}.json"

    def renew(self, in_use: int, moments: int) -> Grant:
        """Tell that this worker goes on, with so many connections in use, and take moments. Raises StoreError."""
        return self._swapped(lambda state, now: self._granted(state, now, in_use, moments))

    def leave(self) -> None:
        """Give all of it back. Raises StoreError."""

        def left(state: dict[str, Any], now: float) -> Grant:
            state["holders"].pop(self.holder, None)
            return Grant(0, now)

        self._swapped(left)

    def _granted(self, state: dict[str, Any], now: float, in_use: int, wanted: int) -> Grant:
        holders = {name: one for name, one in state["holders"].items() if one["until"] > now}
        others = {name: one for name, one in holders.items() if name != self.holder}
        ranked, most = sorted([*others, self.holder]), self.ceiling.connections
        fair = most // len(ranked) + (ranked.index(self.holder) < most % len(ranked))
        allowed = max(0, min(fair, most - sum(one["connections"] for one in others.values())))
        self._open = [(at, count) for at, count in self._open if at > now - self.linger_s]
        self._open.append((now, max(allowed, in_use)))
        until = now + LEASE_S
        state["holders"] = others | {
            self.holder: {"connections": max(count for _, count in self._open), "until": until}
        }
        return Grant(allowed, until, self._moments(state, now, wanted), is_alone=not others)

    def _moments(self, state: dict[str, Any], now: float, wanted: int) -> tuple[float, ...]:
        if self.ceiling.per_second is None or not wanted:
            return ()
        apart = 1 / (self.ceiling.per_second * MARGIN)
        begin = max(now, state["free_from"])
        if begin > now + AHEAD_S + apart:
            return ()
        state["free_from"] = begin + wanted * apart
        return tuple(begin + number * apart for number in range(wanted))

    def _swapped(self, change: Callable[[dict[str, Any], float], Grant]) -> Grant:
        for _ in range(SWAPS):
            try:
                before: bytes | None = self.store.read(self.name)
            except NotFoundError:
                before = None
            state = json.loads(before) if before else {"holders": {}, "free_from": 0.0}
            grant = change(state, self.clock())
            state["writer"] = f"{self.holder} {uuid.uuid4().hex}"
            if self.store.swap(self.name, before, json.dumps(state).encode()):
                return grant
        return Grant(0, self.clock())
