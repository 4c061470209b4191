"""The live log: what rollbacks return to, and what must be kept for them."""

from pathlib import Path

import pytest

from pipelines.releases.history import History, append, kept_releases, make_entry, read_history
from pipelines.releases.live import live_release_id
from pipelines.releases.release import Release
from pipelines.store import StoreError, open_store


def history(*actions: str) -> History:
    """Each action is `+A` (promote A) or `-A` (roll back to A)."""
    names = {"+": "promote", "-": "rollback"}
    entries = [{"action": names[a[0]], "release_id": a[1:], "run_id": f"run-{a[1:]}"} for a in actions]
    return History(tuple(enumerate(entries, 1)))


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ((), []),
        (("+A",), ["A"]),
        (("+A", "+B", "+C"), ["C", "B", "A"]),
        (("+A", "+B", "+C", "-B"), ["B", "A"]),
        (("+A", "+B", "+C", "-B", "-A"), ["A"]),
        (("+A", "+B", "+C", "-A"), ["A"]),
        (("+A", "+B", "-A", "+C"), ["C", "A"]),
        (("+A", "+B", "-A", "-B"), ["B", "A"]),  # forward again, to one that was left
        (("+A", "+B", "+A", "-B"), ["B", "A"]),
        (("+A", "+B", "+A", "-B", "-A"), ["A"]),
    ],
)
def test_a_rollback_takes_away_what_it_left(actions: tuple[str, ...], expected: list[str]) -> None:
    assert history(*actions).returnable() == expected


def test_kept_are_the_last_that_were_live_and_the_next_that_rollbacks_come_to() -> None:
    log = history("+A", "+B", "+C", "+D", "-C", "+E")
    assert log.recent(2) == ["E", "C"]
    assert kept_releases(log, 1) == {"E"}
    assert kept_releases(log, 3) == {"E", "C", "D", "B"}  # recent: E, C, D; rollbacks: E, C, B
    assert kept_releases(history(), 3) == set()


def test_the_entry_says_who_where_when_and_why(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    release = Release("r1", {"positions": {"f": "1"}, "gates": [{"passed": True}], "blessed": True})
    entry = make_entry(release, "promote", None, run_id="run", config_digest="cd", reason=None)
    words = "release_id action previous at by run_id config_digest gates blessed reason positions catalogue_number"
    assert set(entry) == set(words.split())
    assert "@" in entry["by"]
    assert live_release_id(store) is None
    empty = read_history(store)
    assert append(store, empty, entry) is True
    assert append(store, empty, entry) is False
    assert live_release_id(store) == "r1"
    assert read_history(store).live == entry
    assert read_history(store).promotion_of("run", "r1") == 1
    assert read_history(store).promotion_of("run", "r2") is None


def test_an_entry_that_promote_did_not_write_is_named(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    store.create_json("live/00000001.json", {"release_id": "r1", "action": "promote"})
    with pytest.raises(StoreError, match="live: entry 1 lacks 'run_id'; it was not written by promote"):
        read_history(store)
