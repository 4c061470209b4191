"""The gates of the live release as lines for a person: a line a metric, and one for what compared nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pipelines.releases.gate import NOTHING_LIVE, Gate

COMPARED: Final = {
    "floor": "",
    "histogram": "lead over colours ",
    "margin": "beside live then ",
    "anchor": "beside best ",
}


def gate_lines(gates: Sequence[Gate], measured_for: str) -> Iterator[str]:
    """Yield verdict and words; `measured_for` is the release of which the gates were asked."""
    yield from (f"{gate.verdict:9}  {gate.comparison}: {gate.sentence()}" for gate in gates if not gate.passed)
    passed = [gate for gate in gates if gate.verdict == "passed"]
    for metric in dict.fromkeys(gate.metric for gate in passed):
        yield f"passed     {metric}: {', '.join(_short(gate) for gate in passed if gate.metric == metric)}"
    unasked = [gate for gate in gates if gate.is_open]
    alone = sum(gate.note == NOTHING_LIVE for gate in unasked)
    if alone:
        what = "1 gate" if alone == 1 else f"{alone} gates"
        yield f"not asked  {what} had no live release to compare with when release {measured_for} was measured"
    for note in dict.fromkeys(gate.note for gate in unasked if gate.note != NOTHING_LIVE):
        yield f"not asked  {', '.join(dict.fromkeys(gate.metric for gate in unasked if gate.note == note))}: {note}"


def _short(gate: Gate) -> str:
    """Return value and bound of a gate that passed, differences with their sign and at worst, their 95 % bound."""
    form = "+.4g" if gate.paired else ".4g"
    allowed = "bound" if gate.least is None else "at least" if gate.least else "at most"
    worst = " at worst" if gate.is_bound else ""
    return f"{COMPARED.get(gate.rule, gate.rule)}{gate.value:{form}}{worst} ({allowed} {gate.bound:{form}})"
