"""The settings that a feed wants: what remarks and rejects name is tried, and kept if the reader has less to say.

A search over configs whose judge is the catalogue stage's own reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.survey.draft.columns import Guess
from pipelines.survey.draft.proposals import Proposal, Seen, proposals
from pipelines.survey.draft.trial import Trial, tried

ROUNDS = 8
_SAVED_ROWS, _SAVED = 2, 0.02
"""The least rows, and share of them, that are no damage but the way in which a feed is written."""
Rows = Sequence[Mapping[str, Any]]
_Better = tuple[dict[str, Any], Trial, Proposal]


def settled(section: dict[str, Any], guess: Guess, file: Path, rows: Rows) -> tuple[dict[str, Any], Trial | None]:
    """Return the section with the settings that a few rounds have found, and the last trial; `guess` learns why."""
    trial, refused = tried(section, file), set[str]()
    for _ in range(ROUNDS):
        better = _better(Seen(section, trial, rows), file, refused) if trial else None
        if better is None:
            break
        section, trial, proposal = better
        guess.why |= dict.fromkeys((*proposal.keys, *proposal.columns), proposal.why)
        guess.left_out += [proposal.why] if proposal.drops else []
    return section, trial


def _better(seen: Seen, file: Path, refused: set[str]) -> _Better | None:
    """Return the first proposal with which the reader has less to say; what was refused is not tried again."""
    for proposal in proposals(seen):
        if repr(proposal) in refused:
            continue
        refused.add(repr(proposal))
        changed = proposal.applied(seen.section)
        after = tried(changed, file)
        if after is not None and _is_better(proposal, after, seen.trial):
            return changed, after, proposal
    return None


def _is_better(proposal: Proposal, after: Trial, before: Trial) -> bool:
    if proposal.saves_rows:
        return len(before.rejects) - len(after.rejects) >= max(_SAVED_ROWS, _SAVED * before.rows)
    is_no_worse = proposal.is_certain and len(after.rejects) <= len(before.rejects)
    return is_no_worse or after.badness < before.badness
