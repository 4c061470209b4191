"""What the newest run has of an item that the release that answers has otherwise. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.trace.facts import SHOWN, Fetched, PhotoTrace, Trail

NAMED = ("title", "price", "group_id")
NAMES_OF = {"group_id": "group"}


def changes(newest: Trail, trail: Trail) -> tuple[str, ...]:
    """Return what a newer run has otherwise, of an item that both show; nothing of any other."""
    if not newest.catalogued.state == trail.catalogued.state == SHOWN:
        return ()
    return (*_values(newest, trail), *_photos(newest.photos, trail.photos))


def answer(found: Fetched) -> str:
    """Return in words what a photo was answered with when it was asked for last."""
    if found.code:
        return found.code
    if not (found.failed or found.missing_since):
        return "unchanged" if found.unchanged else "it came"
    why = found.said or found.failed or "missing"
    if found.missing_since:
        return f"{why} since {found.missing_since}, the photo that came stays for fetch.gone_days"
    return f"failed: {why}, the photo that came stays"


def _values(newest: Trail, trail: Trail) -> Iterator[str]:
    now, before = newest.catalogued, trail.catalogued
    if now.category != before.category:
        yield _other("category", " > ".join(now.category), " > ".join(before.category))
    for name in NAMED:
        values = getattr(now, name), getattr(before, name)
        if values[0] != values[1]:
            yield _other(NAMES_OF.get(name, name), *(_shown(value) for value in values))


def _photos(newest: Sequence[PhotoTrace], before: Sequence[PhotoTrace]) -> Iterator[str]:
    known, now = {one.image_uri: one for one in before}, {one.image_uri: one for one in newest}
    came = [one.image_uri for one in newest if one.image_uri not in known]
    gone = [one.image_uri for one in before if one.image_uri not in now]
    if len(came) == len(gone) == 1:
        yield _other("photo", came[0], gone[0])
    elif came or gone:
        yield from (f"the photo {uri} is new" for uri in came)
        yield from (f"the photo {uri} is named no more" for uri in gone)
    for uri in now.keys() & known.keys():
        yield from _photo(now[uri], known[uri])


def _photo(now: PhotoTrace, before: PhotoTrace) -> Iterator[str]:
    """Yield what became of a photo whose address is as it was."""
    if now.role != before.role:
        yield _other(f"role of {now.image_uri}", now.role, before.role)
    asked, known = now.fetched, before.fetched
    if asked and asked.has_come and now.digest and now.digest != before.digest:
        yield f"the photo at {now.image_uri} is another one, which came {asked.came_at}"
    elif asked and known and answer(asked) != answer(known) and not (asked.unchanged or asked.has_come):
        yield f"{now.image_uri} was asked for again, {asked.at}: {answer(asked)}"


def _other(what: str, now: str, before: str) -> str:
    return f"its {what} is {now or 'none'}, not {before or 'none'}"


def _shown(value: str | float | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:g}"
