"""What a newer run is said to have of an item otherwise."""

from __future__ import annotations

from dataclasses import replace

from pipelines.trace.facts import SHOWN, Catalogued, Fetched, PhotoTrace, Trail, Verdict
from pipelines.trace.since import changes

CAME = Fetched("2026-11-29T22:00:00", "", "f", "u", came_at="2026-11-29T22:00:00")
PHOTO = PhotoTrace("p.jpg", "main", 0, Verdict("index", "found", ""), fetched=CAME, digest="aa")
LIVE = Trail("first", "r1", True, 1, Catalogued(SHOWN), None, (PHOTO,), PHOTO.verdict)


def newest(digest: str | None) -> Trail:
    return replace(LIVE, run_id="second", photos=(replace(PHOTO, digest=digest),))


def test_a_photo_that_the_run_has_not_come_to_yet_is_no_other_one() -> None:
    assert changes(newest(None), LIVE) == ()
    assert changes(newest("aa"), LIVE) == ()
    assert changes(newest("bb"), LIVE) == ("the photo at p.jpg is another one, which came 2026-11-29T22:00:00",)
