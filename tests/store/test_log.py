"""Append-only logs: one winner a number."""

import subprocess
import sys

import pytest

from pipelines.store import Log, NotFoundError, Store, StoreError

APPENDER = """
import sys
from pipelines.store import Log, open_store
log, done = Log(open_store(sys.argv[1]), "log"), 0
while done < 40:
    number, _ = log.head()
    done += log.append(number + 1, {"by": sys.argv[2], "mine": done})
print(done)
"""


def test_an_empty_log(store: Store) -> None:
    assert Log(store, "live").head() == (0, {})
    assert list(Log(store, "live").entries()) == []


def test_entries_come_back_oldest_first(store: Store) -> None:
    log = Log(store, "live")
    assert [log.append(n, {"n": n}) for n in range(1, 13)] == [True] * 12
    assert log.head() == (12, {"n": 12})
    assert [number for number, _ in log.entries()] == list(range(1, 13))
    assert store.exists("live/00000012.json")


def test_who_knows_the_head_lists_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(store, "live")
    for number in (1, 2, 3):
        log.append(number, {"n": number})
    monkeypatch.setattr(store, "list", None)
    assert [log.head(known) for known in (1, 2, 3)] == [(3, {"n": 3})] * 3
    log.append(4, {"n": 4})
    assert log.head(3) == (4, {"n": 4})


def test_a_store_that_was_made_anew_has_another_head(store: Store) -> None:
    log = Log(store, "live")
    log.append(1, {"n": "anew"})
    assert log.head(7) == (1, {"n": "anew"})


def test_a_taken_number_is_lost_and_nothing_is_overwritten(store: Store) -> None:
    log = Log(store, "live")
    assert log.append(1, {"by": "first"}) is True
    assert log.append(1, {"by": "second"}) is False
    assert log.head() == (1, {"by": "first"})


def test_numbers_start_at_one(store: Store) -> None:
    with pytest.raises(ValueError, match="log entries are numbered from 1, not 0"):
        Log(store, "live").append(0, {})


def test_two_processes_append_40_entries_each_and_lose_none(store: Store) -> None:
    arguments = [[sys.executable, "-c", APPENDER, store.uri, who] for who in "AB"]
    processes = [subprocess.Popen(a, stdout=subprocess.PIPE, text=True) for a in arguments]
    assert [p.communicate(timeout=60)[0].strip() for p in processes] == ["40", "40"]
    entries = list(Log(store, "log").entries())
    assert [number for number, _ in entries] == list(range(1, 81))
    for who in "AB":
        assert [e["mine"] for _, e in entries if e["by"] == who] == list(range(40))


def test_a_damaged_entry_is_named(store: Store) -> None:
    store.create("live/00000001.json", b"[]")
    with pytest.raises(StoreError, match=r"live/00000001\.json holds list, not an object"):
        Log(store, "live").head()


def test_files_that_are_no_entries_are_not_counted(store: Store) -> None:
    store.create("live/notes.txt", b"")
    store.create("live/old.json", b"{}")
    assert Log(store, "live").head() == (0, {})
    with pytest.raises(NotFoundError):
        Log(store, "live").entry(1)
