"""A host's ceiling is shared out: connections never add up to more, and moments keep their distance."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from pipelines.shop_files.web.ceilings import LEASE_S, MARGIN, Ceiling, Share
from pipelines.store import Store
from pipelines.store.folder import FolderStore


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return FolderStore(tmp_path)


def share(store: Store, clock: Clock, connections: int = 10, per_second: float | None = None) -> Share:
    return Share(store, "cdn.example", Ceiling(connections, per_second), 4.0, clock)


def held(store: Store, one: Share) -> int:
    state = json.loads(store.read(one.name))
    return sum(holder["connections"] for holder in state["holders"].values())


def test_who_is_alone_has_all_connections(store: Store, clock: Clock) -> None:
    grant = share(store, clock).renew(0, 0)
    assert (grant.connections, grant.is_alone, grant.until) == (10, True, 1000.0 + LEASE_S)


def test_a_second_worker_waits_until_the_first_has_let_go(store: Store, clock: Clock) -> None:
    first, second = share(store, clock), share(store, clock)
    assert first.renew(0, 0).connections == 10
    assert second.renew(0, 0).connections == 0
    assert first.renew(10, 0).connections == 5  # no more than these are begun from now on
    assert second.renew(0, 0).connections == 0  # for ten are still at work
    clock.now += 5
    assert first.renew(5, 0).connections == 5
    assert second.renew(0, 0).connections == 5
    assert held(store, first) == 10


def test_connections_linger_before_others_get_them(store: Store, clock: Clock) -> None:
    first, second = share(store, clock), share(store, clock)
    first.renew(0, 0)
    second.renew(0, 0)
    clock.now += 1
    first.renew(0, 0)
    assert second.renew(0, 0).connections == 0  # the first one's may be open, though nobody uses them
    clock.now += 4.5
    first.renew(0, 0)
    assert second.renew(0, 0).connections == 5


def test_more_workers_than_connections_take_no_more_than_there_are(store: Store, clock: Clock) -> None:
    shares = [share(store, clock, connections=2) for _ in range(4)]
    for _ in range(5):
        granted = [one.renew(0, 0).connections for one in shares]
        assert held(store, shares[0]) <= 2
        clock.now += 5
    assert sum(granted) == 2


def test_what_a_dead_worker_had_is_free_after_its_lease_and_what_one_gives_back_at_once(
    store: Store, clock: Clock
) -> None:
    dead, heir = share(store, clock), share(store, clock)
    dead.renew(0, 0)
    assert heir.renew(0, 0).connections == 0
    clock.now += LEASE_S + 1
    assert heir.renew(0, 0).connections == 10
    heir.leave()
    assert share(store, clock).renew(0, 0).connections == 10


def test_moments_of_all_workers_keep_the_distance_of_the_ceiling(store: Store, clock: Clock) -> None:
    shares = [share(store, clock, per_second=100.0) for _ in range(3)]
    moments = [at for _ in range(6) for one in shares for at in one.renew(0, 20).moments]
    assert len(moments) == 100  # five times twenty: then the next ones are more than a second ahead
    assert moments == sorted(moments)
    assert {round(b - a, 6) for a, b in pairwise(moments)} == {round(1 / (100 * MARGIN), 6)}
    clock.now += 10
    assert shares[0].renew(0, 1).moments == (clock.now,)


def test_hosts_whose_names_differ_have_objects_of_their_own(store: Store, clock: Clock) -> None:
    names = {Share(store, host, Ceiling(1), 0, clock).name for host in ("a.example", "a.example:81", "[::1]", "A_b")}
    assert len(names) == 4
    assert all(name.startswith("hosts/") and ":" not in name for name in names)
