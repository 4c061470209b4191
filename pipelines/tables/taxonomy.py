"""Permanent slots: every category and attribute value gets a number at first sight and keeps it for ever.

An item's *leaf* is its whole category path, at whatever depth: "Shoes" is the leaf of what is listed there, also where
"Shoes > Boots" is one. The log `taxonomy/<n>.json` holds what was first seen in step n: {"leaves": {path: slot},
"levels": [{path: slot}, …], "attributes": {name: {value: slot}}}; level L holds the paths' first L + 1 parts.
"""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipelines.store import Log, Store

SEPARATOR = " > "
LEAF = "leaf"

Values = tuple[str, str]  # ("leaf", "level:<n>" or "attribute:<name>", value)

SHOWN = 3


def leaf_value(path: Sequence[str]) -> str:
    """Return the value of a whole path, '' for none: parts joined by ' > ', in which a part's own '>' is escaped."""
    return SEPARATOR.join(part.replace("\\", "\\\\").replace(">", "\\>") for part in path)


def category_value(path: Sequence[str], level: int) -> str:
    """Return the category's value at a level, or '' when the path is less deep."""
    return leaf_value(path[: level + 1]) if level < len(path) else ""


def values_of(category: Sequence[str]) -> Iterable[Values]:
    """Yield the taxonomy values of one item's category: its leaf, and every level."""
    if category:
        yield LEAF, leaf_value(category)
    for level in range(len(category)):
        yield f"level:{level}", category_value(category, level)


def look_alikes(values: Iterable[Values]) -> list[str]:
    """Return a line for the kinds of value that differ in case or HTML entities alone, with examples; often none.

    Such values stay apart, since a shop may mean them so: each has a slot, photos and results of its own.
    """
    alike: dict[Values, set[str]] = defaultdict(set)
    for kind, value in values:
        alike[kind.partition(":")[0], html.unescape(value).casefold()].add(value)
    pairs = defaultdict(list)
    for (what, _), spellings in sorted(alike.items()):
        if len(spellings) > 1:
            pairs[what].append(" and ".join(repr(spelling) for spelling in sorted(spellings)))
    return [
        f"{NAMES[what]} that differ in case or HTML entities alone are kept apart ({len(found)}), such as "
        f"{'; '.join(found[:SHOWN])}: make them one in the feed if they are"
        for what, found in pairs.items()
        if what in NAMES
    ]


NAMES = {LEAF: "categories", "attribute": "attribute values"}


def read_taxonomy(store: Store) -> dict[str, Any]:
    """Return all slots: {"leaves": {path: slot}, "levels": [{path: slot}], "attributes": {name: {value: slot}}}.

    Steps without "leaves" are of a version that gave every value of every attribute a slot, however rare; those are
    forgotten, since no model with a leaf head has learned them.
    """
    taxonomy: dict[str, Any] = {"leaves": {}, "levels": [], "attributes": {}}
    for _, step in Log(store, "taxonomy").entries():
        for level, slots in enumerate(step["levels"]):
            if level == len(taxonomy["levels"]):
                taxonomy["levels"].append({})
            taxonomy["levels"][level].update(slots)
        if "leaves" in step:
            taxonomy["leaves"].update(step["leaves"])
            for name, slots in step["attributes"].items():
                taxonomy["attributes"].setdefault(name, {}).update(slots)
    return taxonomy


def extend_taxonomy(store: Store, seen: Iterable[Values]) -> int:
    """Give slots to the values that have none, in sorted order; return how many. Safe beside other runs."""
    wanted = sorted(set(seen))
    while True:
        number, _ = Log(store, "taxonomy").head()
        step, count = _next_step(read_taxonomy(store), wanted)
        if not count or Log(store, "taxonomy").append(number + 1, step):
            return count


def _next_step(known: Mapping[str, Any], wanted: Sequence[Values]) -> tuple[dict[str, Any], int]:
    depth = max([len(known["levels"]), *(int(k.split(":")[1]) + 1 for k, _ in wanted if k.startswith("level:"))])
    step: dict[str, Any] = {"leaves": {}, "levels": [{} for _ in range(depth)], "attributes": {}}
    count = 0
    for kind, value in wanted:
        held, new = _table(known, kind), _table(step, kind)
        if value not in held:
            new[value] = len(held) + len(new)
            count += 1
    return step, count


def _table(taxonomy: Mapping[str, Any], kind: str) -> dict[str, int]:
    """Return the slots of one kind of value; those of a new attribute can be added to."""
    where, _, name = kind.partition(":")
    if where == LEAF:
        return taxonomy["leaves"]
    if where == "level":
        level = int(name)
        return taxonomy["levels"][level] if level < len(taxonomy["levels"]) else {}
    return taxonomy["attributes"].setdefault(name, {})
