"""Permanent slots: every category and attribute value gets a number at first sight and keeps it for ever.

An item's *leaf* is its whole category path, at whatever depth: "Shoes" is the leaf of what is listed there, also where
"Shoes > Boots" is one. The log `taxonomy/<n>.json` holds what was first seen in step n: {"leaves": {path: slot},
"levels": [{path: slot}, …], "attributes": {name: {value: slot}}, "renamed": {kind: {new name: old name}}}; level L
holds the paths' first L + 1 parts. A renamed category keeps its slot, and so its column in every model.
"""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pipelines.store import Log, Store

SEPARATOR = " > "
LEAF = "leaf"

Values = tuple[str, str]  # ("leaf", "level:<n>" or "attribute:<name>", value)
Renaming = Callable[[str, str], str | None]

SHOWN = 3


def leaf_value(path: Sequence[str]) -> str:
    """Return the value of a whole path, '' for none: parts joined by ' > ', in which a part's own '>' is escaped."""
    return SEPARATOR.join(part.replace("\\", "\\\\").replace(">", "\\>") for part in path)


def path_of(value: str) -> tuple[str, ...]:
    """Return the path of a value that `leaf_value` has made."""
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in value.split(SEPARATOR)) if value else ()


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

    Each slot has one name, its newest. Steps without "leaves" are of a version that gave every value of every attribute
    a slot, however rare; those are forgotten, since no model with a leaf head has learned them.
    """
    return _replayed(store)[0]


def read_names(store: Store) -> dict[str, Any]:
    """Return the slots as `read_taxonomy`, by former names too, as catalogues of before a renaming call categories.

    A former name that has a slot of its own again means that one. Former names come first.
    """
    taxonomy, former = _replayed(store)
    for kind, names in former.items():
        held = _table(taxonomy, kind)
        old = {name: held[now] for name in names if name not in held and (now := _newest(names, name)) in held}
        now_first = dict(held)
        held.clear()
        held.update(old | now_first)
    return taxonomy


def without_slot(store: Store, values: Iterable[Values]) -> set[Values]:
    """Return those values that have no slot by any name."""
    names = read_names(store)
    levels = len(names["levels"])
    return {
        (kind, value)
        for kind, value in values
        if (kind.startswith("level:") and int(kind[6:]) >= levels) or value not in _table(names, kind)
    }


def former_leaves(store: Store) -> dict[str, str]:
    """Return what leaves are called now that had other names."""
    names = _replayed(store)[1].get(LEAF, {})
    return {name: _newest(names, name) for name in names}


def _newest(names: Mapping[str, str], name: str) -> str:
    while name in names:
        name = names[name]
    return name


def _replayed(store: Store) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Return the slots by name, and of each kind of value which name followed on which."""
    taxonomy: dict[str, Any] = {"leaves": {}, "levels": [], "attributes": {}}
    former: dict[str, dict[str, str]] = {}
    for _, step in Log(store, "taxonomy").entries():
        for level, slots in enumerate(step["levels"]):
            if level == len(taxonomy["levels"]):
                taxonomy["levels"].append({})
            taxonomy["levels"][level].update(slots)
        if "leaves" in step:
            taxonomy["leaves"].update(step["leaves"])
            for name, slots in step["attributes"].items():
                taxonomy["attributes"].setdefault(name, {}).update(slots)
        for kind, names in step.get("renamed", {}).items():
            _rename(_table(taxonomy, kind), names)
            followed = former.setdefault(kind, {})
            for new, old in names.items():
                followed.pop(new, None)  # it was given up before, and is back
                followed[old] = new
    return taxonomy, former


def _rename(held: dict[str, int], names: Mapping[str, str]) -> None:
    """Give slots their new names, {new: old}."""
    held.update({new: held.pop(old) for new, old in names.items() if old in held})


def extend_taxonomy(store: Store, seen: Iterable[Values], becomes: Renaming | None = None) -> int:
    """Give slots to the values that have none, in sorted order; return how many. Safe beside other runs.

    `becomes` tells what a value of a kind is called now, None for one that keeps its name. A new name takes the slot of
    the old one over, unless it has one; of several that become the same the oldest slot is taken.
    """
    wanted = sorted(set(seen))
    while True:
        number, _ = Log(store, "taxonomy").head()
        known = read_taxonomy(store)
        renamed = _renamed(known, becomes) if becomes else {}
        for kind, names in renamed.items():
            _rename(_table(known, kind), names)
        step, count = _next_step(known, wanted)
        if not (count or renamed) or Log(store, "taxonomy").append(number + 1, step | {"renamed": renamed}):
            return count


def _renamed(known: Mapping[str, Any], becomes: Renaming) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for kind in (LEAF, *(f"level:{level}" for level in range(len(known["levels"])))):
        held = _table(known, kind)
        for old in sorted(held, key=held.__getitem__):
            new = becomes(kind, old)
            if new is not None and new not in held and new not in found.get(kind, {}):
                found.setdefault(kind, {})[new] = old
    return found


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
