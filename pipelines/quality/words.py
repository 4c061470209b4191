"""What curators' commands say to people and to programs."""

from __future__ import annotations

from typing import Any, Final

from pipelines.curated.change import Noted
from pipelines.curated.entries import BAD_PHOTO, CATEGORY, NOT_ALIKE, UNDO, Decision, Entry
from pipelines.tables.taxonomy import leaf_value

WHEN: Final = {
    NOT_ALIKE: "no search shows one for the other, and the next run keeps them apart in training and measures",
    CATEGORY: "the next run's catalogue says so, and training learns it",
    BAD_PHOTO: "the next run leaves it out; the item is found by its other photos",
    UNDO: "what was decided before holds again",
}


def told(noted: Noted, decision: Decision) -> str:
    """Return the line of a command that is done."""
    if not noted.is_new:
        return f"curate: {said(decision)}: so decided already, as number {noted.number}"
    return f"curate: {said(decision)}, as number {noted.number}: {WHEN[decision.action]}"


def summary(noted: Noted, decision: Decision) -> dict[str, Any]:
    """Return the last line of a command."""
    value = {"action": decision.action, "number": noted.number, "changed": int(noted.is_new)}
    return value | {"standing": len(noted.curated.standing)}


def line_of(number: int, entry: Entry) -> str:
    """Return one line of the list."""
    at = entry.at[:16].replace("T", " ")
    reason = f": {entry.reason}" if entry.reason else ""
    return f"{number}  {said(entry.decision)}, since {at} UTC, by {entry.by}{reason}"


def said(decision: Decision) -> str:
    """Return a decision in words."""
    items = [repr(item_id) for item_id in decision.item_ids]
    if decision.action == NOT_ALIKE:
        return f"{items[0]} and {items[1] if len(items) == 2 else f'photo {decision.digest}'} are not alike"
    if decision.action == CATEGORY:
        return f"{items[0]} is of {leaf_value(decision.category)!r}"
    if decision.action == BAD_PHOTO:
        photo = decision.image_uri or decision.digest
        return f"photo {photo} of {items[0]} is bad" if items else f"photo {photo} is bad, of whatever items"
    return f"decision {decision.undoes} is taken back"
