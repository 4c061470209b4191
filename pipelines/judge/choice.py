"""Which two releases are worth judging now: what might go live beside what is, else what is beside what was."""

from __future__ import annotations

from pipelines.errors import GateError
from pipelines.releases.history import read_history
from pipelines.releases.live import live_release
from pipelines.releases.release import BrokenReleaseError, Release, is_whole, read_release
from pipelines.releases.verdicts import Judged, Standing, standings
from pipelines.store import Store


def chosen(store: Store) -> tuple[str, str]:
    """Return the live release and the newest that passed its gates beside it and is not live.

    Where there is none, return the one that was live before, and the live one. Raises GateError when there is nothing
    to compare.
    """
    live_id, *earlier = read_history(store).returnable() or [""]
    if not live_id:
        raise GateError(f"{store.uri} has no live release yet, so there is nothing to judge; make one first")
    live = read_release(store, live_id)
    if waiting := waiting_releases(store, live):
        return live_id, waiting[-1].release_id
    for name in earlier:
        if is_whole(store, name) and not Judged.of(live).answers_as(read_release(store, name)):
            return name, live_id
    raise GateError(f"there is nothing to judge beside the live release {live_id}: no other one is whole and differs")


def waiting_releases(store: Store, live: Release) -> list[Release]:
    """Return what passed its gates beside the live release, answers otherwise and is whole, oldest first."""
    found = [release for name in store.folders("releases") if (release := _read(store, name)) is not None]
    return sorted(
        (
            release
            for release in found
            if release.blessed
            and release.manifest.get("parent") == live.release_id
            and not Judged.of(live).answers_as(release)
            and is_whole(store, release.release_id)
        ),
        key=lambda release: (str(release.manifest.get("created_at", "")), release.release_id),
    )


def open_task(store: Store, first: Release, second: Release) -> Standing | None:
    """Return the newest task about two releases that has no verdict yet, or None."""
    return next(
        (one for one in reversed(list(standings(store))) if one.verdict is None and one.is_about(second, first)), None
    )


def run_that_waits(store: Store, release_id: str) -> str:
    """Return the run that made a release which might go live in place of the live one, "" of any other."""
    live = live_release(store)
    waiting = [] if live is None else waiting_releases(store, live)
    return next((release.run_id for release in waiting if release.release_id == release_id), "")


def _read(store: Store, name: str) -> Release | None:
    """Return a release, None of one that has no manifest: its numbers alone are kept."""
    try:
        return read_release(store, name)
    except BrokenReleaseError:
        return None
