"""The settings that a feed wants: what remarks and rejects name is tried, and kept if the reader has less to say.

A search over configs whose judge is the catalogue stage's own reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.survey.draft.columns import Guess
from pipelines.survey.draft.proposals import Proposal, Seen, proposals
from pipelines.survey.draft.trial import Trial, tried

ROUNDS = 8
_SAVED_ROWS, _SAVED = 2, 0.02
"""The least rows, and share of them, that are no damage but the way in which a feed is written."""
_DEEPEST = 3
"""The most proposals of which only the last saves rows: each row is rejected for its first fault alone."""
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _Way:
    """A section with some proposals, and what the reader makes of it."""

    seen: Seen
    proposals: tuple[Proposal, ...] = ()

    @property
    def rejects(self) -> int:
        """How many rows are rejected."""
        return len(self.seen.trial.rejects)

    def saves_rows(self, before: _Way) -> bool:
        """Tell whether so many rows fewer are rejected that it is no matter of damage."""
        return before.rejects - self.rejects >= max(_SAVED_ROWS, _SAVED * before.seen.trial.rows)

    def shows_more(self, before: _Way) -> bool:
        """Tell whether rows are rejected for something else, which what is mended had hidden."""
        return self.rejects <= before.rejects and self.seen.trial.codes != before.seen.trial.codes

    def is_better(self, before: _Way) -> bool:
        """Tell whether the reader has less to say with the last proposal."""
        proposal, after = self.proposals[-1], self.seen.trial
        if proposal.saves_rows:
            return self.saves_rows(before)
        return (proposal.is_certain and self.rejects <= before.rejects) or after.badness < before.seen.trial.badness


def settled(
    section: dict[str, Any], guess: Guess, files: Sequence[Path], rows: Rows
) -> tuple[dict[str, Any], Trial | None]:
    """Return the section with the settings that a few rounds have found, and the last trial; `guess` learns why."""
    trial, taken = tried(section, files), set[str]()
    for _ in range(ROUNDS):
        better = _better(_Way(Seen(section, trial, rows)), files, taken) if trial else None
        if better is None:
            break
        section, trial = dict(better.seen.section), better.seen.trial
        for proposal in better.proposals:
            taken.add(repr(proposal))
            guess.why |= dict.fromkeys((*proposal.keys, *proposal.columns), proposal.why)
            guess.left_out += [proposal.why] if proposal.drops else []
    return section, trial


def _better(way: _Way, files: Sequence[Path], taken: set[str]) -> _Way | None:
    """Return the first proposal with which the reader has less to say, or else the first few that together save rows.

    None is taken twice; what was refused may be worth something beside another.
    """
    others = []
    for step in _steps(way, files, taken):
        if step.is_better(way):
            return step
        others.append(step)
    return next((found for step in others if (found := _beyond(step, way, files, taken)) is not None), None)


def _beyond(step: _Way, before: _Way, files: Sequence[Path], taken: set[str]) -> _Way | None:
    """Return proposals that save rows behind one that only shows more of what is wrong with them."""
    if not step.shows_more(before) or len(step.proposals) == _DEEPEST:
        return None
    others = []
    for further in _steps(step, files, taken | {*map(repr, step.proposals)}):
        if further.saves_rows(before):
            return further
        others.append(further)
    return next((found for further in others if (found := _beyond(further, step, files, taken)) is not None), None)


def _steps(way: _Way, files: Sequence[Path], taken: set[str]) -> Iterator[_Way]:
    """Yield each further proposal with what the reader makes of it."""
    seen = way.seen
    for proposal in proposals(seen):
        changed = proposal.applied(seen.section)
        after = tried(changed, files) if repr(proposal) not in taken else None
        if after is not None:
            yield _Way(Seen(changed, after, seen.rows), (*way.proposals, proposal))
