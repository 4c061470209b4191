"""Rows that say the same item again: for each language, market or channel, or as a draft. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.survey.draft.names import tokens
from pipelines.survey.draft.profile import texts_of
from pipelines.survey.draft.state_words import SIGNS_OF_COPIES

_BEFORE = re.compile(r"(?P<before>[^\W\d_]{4,}[._:/-])(?P<rest>.+)")
_MOST, _SHOWN = 40, 4
"""The most languages or markets that a column may tell."""


def copies_of(rows: Sequence[Mapping[str, Any]], item_id: str) -> str:
    """Return how many rows an item has and the column that tells them apart, "" where most items have one row."""
    of_item: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        of_item.setdefault(" ".join(texts_of(row.get(item_id))), []).append(row)
    several = [of for name, of in of_item.items() if name and len(of) > 1]
    if 2 * len(several) <= len(of_item):
        return ""
    for column in (name for name in rows[0] if SIGNS_OF_COPIES & {*tokens(name)}):
        told = [[" ".join(texts_of(row.get(column))) for row in of] for of in several]
        words = sorted({word for of in told for word in of})
        if 1 < len(words) <= _MOST and all(len({*of}) == len(of) for of in told):
            shown = ", ".join(words[:_SHOWN])
            return f"{len(told[0])} rows an item, that differ by {column!r} ({shown}): let the export write one of them"
    return ""


def drafts_of(rows: Sequence[Mapping[str, Any]], item_id: str) -> str:
    """Return how many ids are another row's with one word before, such as drafts.4711; "" where none is."""
    ids = {text for row in rows for text in texts_of(row.get(item_id))}
    found = [one for text in ids if (one := _BEFORE.fullmatch(text)) and one["rest"] in ids]
    if not found or len({one["before"] for one in found}) > 1:
        return ""
    first = min(found, key=lambda one: one[0])
    return (
        f"{len(found)} ids are another row's with {first['before']!r} before, as {first[0]!r} and {first['rest']!r}: "
        "if these are drafts or copies of the same items, let the export leave them out"
    )
