"""The gates of a release: floors, a lead over colour histograms, and margins beside other releases.

A margin is asked on the same queries of both, with a bound: what cannot be told from worse by more than the margin does
not pass. It is asked beside the live release, and beside the best of the last ones that were live: else ten releases,
each a little worse than the one before, would pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipelines.evaluate.pairs import LEAST_GROUPS, Difference
from pipelines.evaluate.quality import TOO_FEW_FOR_WORST, WORST
from pipelines.evaluate.vocabulary import describe
from pipelines.releases.gate import NOTHING_LIVE, Gate

SLACK = 1e-9
"""Differences this small come from decimal fractions in the config, not from the release."""


@dataclass(frozen=True)
class Rival:
    """A release to be compared with: its metrics, and how far ours are from them on the same queries, by metric."""

    release_id: str
    metrics: Mapping[str, float]
    differences: Mapping[str, Difference] = field(default_factory=dict)


def judge(
    metrics: Mapping[str, float],
    live: Rival | None,
    anchors: Sequence[Rival],
    floors: Mapping[str, float],
    margins: Mapping[str, float],
) -> list[Gate]:
    """Return all gates, floors first. `live` is None when there is none; `anchors` were live before it."""
    gates = [_floor(name, metrics.get(name), bound) for name, bound in sorted(floors.items())]
    for name, margin in sorted(margins.items()):
        gates.append(_beside_live(name, metrics.get(name), live, margin))
        beside = [_beside(name, "anchor", metrics.get(name), rival, margin) for rival in anchors]
        verdicts = [gate for gate in beside if gate is not None]
        if verdicts:
            gates.append(min(verdicts, key=_lead))
    return gates


def lead_over_colours(gain: Difference | None, margin: float) -> Gate:
    """Return the gate that a release is better than colour histograms, by `margin` of what ten could hold."""
    if gain is None or not gain.is_bounded:
        why = f"needs held-out photos with a category, of {LEAST_GROUPS} products or more"
        return _gate("histogram.gain", "histogram", None, margin, True, why)
    note = f"evaluate.histogram_margin; {gain.mean:+.4g} on {gain.pairs} queries, 95 % bound"
    return _gate("histogram.gain", "histogram", gain.lower, margin, gain.lower >= margin - SLACK, note)


def blessed(gates: Sequence[Gate]) -> bool:
    """Tell whether every gate was passed."""
    return all(gate.passed for gate in gates)


def refusal(gates: Sequence[Gate]) -> str | None:
    """Return why the release is not blessed, naming gate, value and bound; None when it is."""
    failed = [gate.sentence() for gate in gates if not gate.passed]
    return f"the release is not blessed: {'; '.join(failed)}" if failed else None


def _gate(metric: str, rule: str, value: float | None, bound: float | None, passed: bool, note: str) -> Gate:
    return Gate(metric, rule, value, bound, passed, note, least=_is_higher_better(metric))


def _is_higher_better(name: str) -> bool:
    return describe(name).better == "higher"


def _floor(name: str, value: float | None, bound: float) -> Gate:
    if value is None and name == WORST:
        return _gate(name, "floor", None, bound, True, TOO_FEW_FOR_WORST)
    if value is None:
        why = f"could not be measured, and evaluate.floors asks for {bound:g}"
        return _gate(name, "floor", None, bound, False, why)
    return _gate(name, "floor", value, bound, _holds(name, value, bound), "evaluate.floors")


def _beside_live(name: str, value: float | None, live: Rival | None, margin: float) -> Gate:
    gate = None if live is None else _beside(name, "margin", value, live, margin)
    if gate is not None:
        return gate
    if value is None:
        return _gate(name, "margin", None, None, True, _unmeasured(name))
    why = NOTHING_LIVE if live is None else f"release {live.release_id}, live then, did not measure it"
    return _gate(name, "margin", value, None, True, why)


def _unmeasured(name: str) -> str:
    """Return why a metric has no value, in words: what it needs is in its meaning."""
    if name == WORST:
        return TOO_FEW_FOR_WORST
    if "{attribute}" in name:
        return "catalogue.columns.attributes names none, or no held-out photo has a value of one"
    return f"there was nothing to measure it on: {describe(name).meaning}"


def _beside(name: str, rule: str, value: float | None, rival: Rival, margin: float) -> Gate | None:
    """Return the gate beside one release: paired where there are pairs enough, else by its value; None without one."""
    pair, who = rival.differences.get(name), f"release {rival.release_id}{', live then' if rule == 'margin' else ''}"
    if pair is not None and pair.is_bounded:
        return _paired(name, rule, pair, margin, who)
    if name not in rival.metrics:
        return None
    theirs = rival.metrics[name]
    bound = theirs - margin if _is_higher_better(name) else theirs + margin
    if value is None and name == WORST:
        return _gate(name, rule, None, bound, True, TOO_FEW_FOR_WORST)
    if value is None:
        return _gate(name, rule, None, bound, False, f"could not be measured; {who}, has {theirs:.4g}")
    few = "" if pair is None else f"; {pair.groups} products in common, {LEAST_GROUPS} are needed for a bound"
    note = f"{who}, has {theirs:.4g}, margin {margin:g}{few}"
    return _gate(name, rule, value, bound, _holds(name, value, bound), note)


def _paired(name: str, rule: str, pair: Difference, margin: float, who: str) -> Gate:
    higher = _is_higher_better(name)
    value, bound = (pair.lower, -margin) if higher else (pair.upper, margin)
    passed = value >= bound - SLACK if higher else value <= bound + SLACK
    change = f"{pair.mean:+.4g}"
    if pair.theirs is not None:
        change = f"from {pair.theirs:.4g} to {pair.theirs + pair.mean:.4g} ({change})"
    note = f"{change} beside {who}, on {pair.pairs} queries of both"
    return replace(_gate(name, rule, value, bound, passed, note), paired=True)


def _lead(gate: Gate) -> tuple[bool, float]:
    """Return what orders gates of one metric: those that failed first, then by how near their bound is."""
    if gate.value is None or gate.bound is None:
        return gate.passed, 0.0
    return gate.passed, gate.value - gate.bound if gate.least else gate.bound - gate.value


def _holds(name: str, value: float, bound: float) -> bool:
    return value >= bound - SLACK if _is_higher_better(name) else value <= bound + SLACK
