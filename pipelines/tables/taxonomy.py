"""Permanent slots: every category and attribute value gets a number at first sight and keeps it for ever.

The log `taxonomy/<n>.json` holds what was first seen in step n:
{"levels": [{value: slot}, …], "attributes": {name: {value: slot}}}. A category value of level L is the path's first
L + 1 parts joined by " > ".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipelines.store import Log, Store

SEPARATOR = " > "

Values = tuple[str, str]  # ("level:<n>" or "attribute:<name>", value)


def category_value(path: Sequence[str], level: int) -> str:
    """Return the category's value at a level, or '' when the path is less deep."""
    return SEPARATOR.join(path[: level + 1]) if level < len(path) else ""


def values_of(category: Sequence[str], attributes: Mapping[str, str]) -> Iterable[Values]:
    """Yield the taxonomy values of one item."""
    for level in range(len(category)):
        yield f"level:{level}", category_value(category, level)
    for name, value in attributes.items():
        yield f"attribute:{name}", value


def read_taxonomy(store: Store) -> dict[str, Any]:
    """Return all slots given so far: {"levels": [{value: slot}], "attributes": {name: {value: slot}}}."""
    levels: list[dict[str, int]] = []
    attributes: dict[str, dict[str, int]] = {}
    for _, step in Log(store, "taxonomy").entries():
        for level, slots in enumerate(step["levels"]):
            if level == len(levels):
                levels.append({})
            levels[level].update(slots)
        for name, slots in step["attributes"].items():
            attributes.setdefault(name, {}).update(slots)
    return {"levels": levels, "attributes": attributes}


def extend_taxonomy(store: Store, seen: Iterable[Values]) -> int:
    """Give slots to the values that have none, in sorted order; return how many. Safe beside other runs."""
    wanted = sorted(set(seen))
    while True:
        number, _ = Log(store, "taxonomy").head()
        step, count = _next_step(read_taxonomy(store), wanted)
        if not count or Log(store, "taxonomy").append(number + 1, step):
            return count


def _next_step(known: dict[str, Any], wanted: list[Values]) -> tuple[dict[str, Any], int]:
    depth = max([len(known["levels"]), *(int(k.split(":")[1]) + 1 for k, _ in wanted if k.startswith("level:"))])
    step: dict[str, Any] = {"levels": [{} for _ in range(depth)], "attributes": {}}
    count = 0
    for kind, value in wanted:
        where, _, name = kind.partition(":")
        if where == "level":
            level = int(name)
            held = known["levels"][level] if level < len(known["levels"]) else {}
            new = step["levels"][level]
        else:
            held, new = known["attributes"].get(name, {}), step["attributes"].setdefault(name, {})
        if value not in held:
            new[value] = len(held) + len(new)
            count += 1
    return step, count
