"""What `hide` and `unhide` say to people and to programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pipelines.hidden.change import Change
from pipelines.hidden.entries import HIDE
from pipelines.hidden.state import HiddenItem

NAMED: Final = 10
"""Of many items, that are named."""


def told(action: str, done: Change, unknown: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a command that is done."""
    is_hide = action == HIDE
    if done.changed:
        is_one = len(done.changed) == 1
        now = "no search finds" if is_hide else "searches find"
        them = "it" if is_one else "them"
        when = "" if is_hide else f" at once where the index holds {them}, else after the next run"
        yield f"{action}: {_items(len(done.changed))} {'hidden' if is_hide else 'shown again'}: {now} {them}{when}"
    if done.unchanged:
        yield f"{action}: {_items(done.unchanged)} {'hidden already' if is_hide else 'not hidden'}"
    if unknown and is_hide:
        yield (
            f"{action}: {_items(len(unknown))} in no catalogue now, and hidden from when a feed names "
            f"{'it' if len(unknown) == 1 else 'them'}: {_named(unknown)}"
        )


def summary(action: str, done: Change, unknown: Sequence[str]) -> dict[str, Any]:
    """Return the last line of the command."""
    counts = {"changed": len(done.changed), "unchanged": done.unchanged, "unknown": len(unknown)}
    return {"action": action, "number": done.number, **counts, "hidden": len(done.hidden.items)}


def line_of(item_id: str, why: HiddenItem) -> str:
    """Return one line of the list."""
    return f"{item_id}  since {why.at[:16].replace('T', ' ')} UTC, by {why.by}: {why.reason}"


def _items(count: int) -> str:
    return "1 item is" if count == 1 else f"{count:,} items are"


def _named(ids: Sequence[str]) -> str:
    more = f", and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
    return ", ".join(map(repr, ids[:NAMED])) + more
