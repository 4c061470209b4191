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


def quiet(*days: str) -> History:
    """Each day is a release and, after a colon, the run that measured it, whose model and index it has."""
    parts = [day.split(":") for day in days]
    entries = [
        {
            "action": "promote",
            "release_id": name,
            "run_id": name,
            "measured_by": by,
            "model_id": "m",
            "index_id": f"i{by}",
        }
        for name, by in parts
    ]
    return History(tuple(enumerate(entries, 1)))


def test_days_with_nothing_new_push_out_no_release() -> None:
    log = quiet("A:A", "B:B", "C:C", *(f"C{day}:C" for day in range(10)))
    assert log.measured(3) == ["C9", "B", "A"]
    assert kept_releases(log, 2) == {"C9", "B"}
    assert kept_releases(log, 9) == {"C9", "B", "A"}  # of equal ones the newest, however many there are


def judged(*days: str) -> History:
    """As `history`, a release that gates refused and a person accepted is `!A`; each was measured by itself."""
    entries = [
        {
            "action": "rollback" if day[0] == "-" else "promote",
            "release_id": day[1:],
            "run_id": day[1:],
            "measured_by": day[1:2],
            "blessed": day[0] == "+",
            "reason": f"{day[1:]} is right" if day[0] == "!" else None,
        }
        for day in days
    ]
    return History(tuple(enumerate(entries, 1)))


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (("+A", "+B", "+C"), ["B", "A"]),
        (("+A", "+B", "!C"), []),  # what a person accepted is the measure
        (("+A", "+B", "!C", "+D", "+E"), ["D", "C"]),
        (("+A", "!B", "+C", "!D", "+E"), ["D"]),
        (("+A", "!B", "!B2", "+C"), ["B2"]),  # a day with nothing new since it was accepted
        (("+A", "+B", "!C", "-B"), ["C", "A"]),  # and no longer is it, once it was taken back
        (("+A", "!B", "+C", "-B"), ["C"]),
    ],
)
def test_a_new_release_is_judged_beside_none_from_before_one_that_was_accepted(
    days: tuple[str, ...], expected: list[str]
) -> None:
    assert judged(*days).anchors(10) == expected
    assert judged(*days).anchors(1) == expected[:1]
    assert judged(*days).anchors(0) == []


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        (("!A",), "A is right"),
        (("!A", "!A2"), "A2 is right"),
        (("+A",), None),
        (("!A", "+B"), None),
        (("!A", "+B", "-A"), "A is right"),
        (("!A", "!B"), None),
        ((), None),
    ],
)
def test_what_is_live_by_a_persons_word_is_so_for_releases_of_its_numbers(
    days: tuple[str, ...], reason: str | None
) -> None:
    assert judged(*days).accepted_as(Release("A3", {"measured_by": "A"})) == reason


def test_releases_of_a_version_that_did_not_say_what_they_hold_are_each_its_own() -> None:
    log = history("+A", "+B", "+C")
    assert log.measured(2) == ["C", "B"]
    assert log.answering(["C", "A"]) == ["C", "A"]


def test_the_entry_says_who_where_when_and_why(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    release = Release("r1", {"positions": {"f": "1"}, "gates": [{"passed": True}], "blessed": True})
    entry = make_entry(release, "promote", None, run_id="run", config_digest="cd", reason=None)
    words = "release_id action previous at by run_id config_digest gates blessed reason positions catalogue_number"
    assert set(entry) == {*words.split(), "model_id", "index_id", "measured_by"}
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
