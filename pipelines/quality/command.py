"""The `quality` command, without its flags: find, and tell people, programs or a page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pipelines.config import Config
from pipelines.curated import read_curated
from pipelines.errors import StageError
from pipelines.hidden import read_hidden
from pipelines.quality.commands import command
from pipelines.quality.findings import LONELY, MISLABELLED, TITLES, Finding, Weakest
from pipelines.quality.page import render_page
from pipelines.quality.weakest import find_weakest
from pipelines.releases.live import live_release, nothing_live
from pipelines.releases.release import Release, read_release
from pipelines.search.output import printable
from pipelines.search.pictures import Pictures
from pipelines.store import Store, open_store
from pipelines.tables.taxonomy import leaf_value

SPARE = 10
"""So many times as many are looked for as are told: of some people have decided already."""


def look(config: Config, config_path: str, release_id: str | None, limit: int, html: str | None) -> Weakest:
    """Return the weakest matches of a release, the live one if none is named; write a page of them to `html`.

    Raises StageError when nothing is live, or the page cannot be written.
    """
    store = open_store(config.store.uri)
    release = read_release(store, release_id) if release_id else live_release(store)
    if release is None:
        raise StageError(nothing_live(store))
    found = undecided(config, store, release, limit)
    if html:
        page = render_page(found, Pictures(config, store, release), config_path)
        try:
            Path(html).write_text(page, encoding="utf-8")
        except OSError as error:
            raise StageError(f"{html} cannot be written ({error.strerror}); name another file") from error
    return found


def undecided(config: Config, store: Store, release: Release, limit: int) -> Weakest:
    """Return what of a release's weakest matches nobody has decided, up to a limit of each kind."""
    roles = tuple(sorted(config.index.roles))
    weakest = find_weakest(store, release, roles, read_hidden(store), SPARE * limit)
    return weakest.undecided(read_curated(store), limit)


def as_lines(weakest: Weakest) -> Iterator[str]:
    """Yield one JSON object a finding."""
    for found in weakest.findings.values():
        yield from (json.dumps({"release_id": weakest.release_id, **one.as_dict()}) for one in found)


def told(weakest: Weakest, config_path: str) -> Iterator[str]:
    """Yield lines for people: each finding, and what to type."""
    yield f"release {weakest.release_id}, {weakest.of:,} items"
    for kind, found in weakest.findings.items():
        if found:
            yield f"\n{TITLES[kind]}: {len(found)}"
        for one in found:
            yield ""
            yield printable(f"  {in_words(one)}")
            yield from (printable(f"    {command(action, config_path)}") for action in one.actions)
    if not any(weakest.findings.values()):
        yield "nothing is left to decide"
    yield from (f"\n{note}" for note in weakest.notes)


def in_words(finding: Finding) -> str:
    """Return what a finding says."""
    item, other = finding.item, finding.other
    if finding.kind == LONELY:
        return f"{item.item_id} ({leaf_value(item.category)}): {other.item_id} is like it by {finding.score:.3f} only"
    if finding.kind == MISLABELLED:
        where = f"{finding.share:.0%} of what is similar is in {leaf_value(finding.category)}, as {other.item_id}"
        return f"{item.item_id} is in {leaf_value(item.category)}; {where} ({finding.score:.2f} sure)"
    same = "the same photo" if finding.is_same_photo else f"photos that differ in {finding.score:.0f} of 64 bits"
    both = (f"{one.item_id} ({leaf_value(one.category)})" for one in (item, other))
    return f"{' and '.join(both)} show {same}"
