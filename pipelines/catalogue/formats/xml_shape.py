"""Which elements of a text of XML are its rows, told by how it begins."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

USUAL_ROW: Final = r"(?:[\w.-]+:)?(?:item|entry|product|offer)"
"""What most feeds call a row."""
_TAG: Final = re.compile(
    r"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>|"""
    r"""<(?P<close>/?)(?P<name>[\w.:-]+)(?P<attributes>(?:[^<>"']|"[^"]*"|'[^']*')*?)(?P<empty>/?)>""",
    re.DOTALL,
)
_IS_USUAL: Final = re.compile(USUAL_ROW, re.IGNORECASE)
_FEWEST: Final = 2
"""Elements of a name that are rows."""
_PARTS: Final = 3.0
"""Elements within a row, and attributes of it, on average."""


@dataclass
class _Open:
    """An element that has begun, with how many parts it has so far."""

    name: str
    parts: int
    is_within_row: bool


def row_of(head: str) -> str:
    """Return the name of the elements that are rows, "" where the beginning of a text does not tell it.

    They are those of which there are several, with several parts each, that stand above all others of the kind; of some
    at one depth those that are called as rows are, else those with the most parts. Nothing within an element that is
    called so is one.
    """
    found = _parts(head)
    rows = {
        key: sum(parts) / len(parts)
        for key, parts in found.items()
        if len(parts) >= _FEWEST and sum(parts) >= _PARTS * len(parts)
    }

    def order(key: tuple[int, str]) -> tuple[int, bool, float]:
        depth, name = key
        return depth, _IS_USUAL.fullmatch(name) is None, -rows[key]

    return min(rows, key=order, default=(0, ""))[1]


def _parts(head: str) -> dict[tuple[int, str], list[int]]:
    """Return how many parts the elements of each depth and name have, but for those within a usual row."""
    open_: list[_Open] = []
    found = defaultdict[tuple[int, str], list[int]](list)

    def end(element: _Open) -> None:
        if not element.is_within_row:
            found[len(open_), element.name].append(element.parts)

    for tag in (tag for tag in _TAG.finditer(head) if tag["name"]):
        if tag["close"]:
            while any(one.name == tag["name"] for one in open_):
                element = open_.pop()
                if element.name == tag["name"]:
                    end(element)
                    break
            continue
        above = open_[-1] if open_ else None
        if above:
            above.parts += 1
        within = above is not None and (above.is_within_row or _IS_USUAL.fullmatch(above.name) is not None)
        element = _Open(tag["name"], tag["attributes"].count("="), within)
        if tag["empty"]:
            end(element)
        else:
            open_.append(element)
    return found
