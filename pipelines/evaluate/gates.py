"""The gates of a release: absolute floors, and margins against the live release.

Owns the verdict. Pure: metrics and bounds in, gates out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.evaluate.names import describe

SLACK = 1e-9
"""Differences this small come from decimal fractions in the config, not from the release."""


@dataclass(frozen=True)
class Gate:
    """One verdict: a metric's value beside its bound; `passed` is True also where there was nothing to compare with."""

    metric: str
    rule: str
    value: float | None
    bound: float | None
    passed: bool
    note: str

    def as_dict(self) -> dict[str, Any]:
        """Return the gate as written in a release's manifest."""
        return asdict(self)

    def sentence(self) -> str:
        """Return the verdict in plain words."""
        if self.value is None or self.bound is None:
            return f"{self.metric}: {self.note}"
        least = "at least" if describe(self.metric).better == "higher" else "at most"
        return f"{self.metric} = {self.value:.4g}, must be {least} {self.bound:.4g} ({self.note})"


def judge(
    metrics: Mapping[str, float],
    live: Mapping[str, float] | None,
    floors: Mapping[str, float],
    margins: Mapping[str, float],
) -> list[Gate]:
    """Return all gates, floors first. `live` is None when there is no live release to compare with."""
    gates = [_floor(name, metrics.get(name), bound) for name, bound in sorted(floors.items())]
    return gates + [_margin(name, metrics.get(name), live, margin) for name, margin in sorted(margins.items())]


def blessed(gates: Sequence[Gate]) -> bool:
    """Tell whether every gate was passed."""
    return all(gate.passed for gate in gates)


def refusal(gates: Sequence[Gate]) -> str | None:
    """Return why the release is not blessed, naming gate, value and bound; None when it is."""
    failed = [gate.sentence() for gate in gates if not gate.passed]
    return f"the release is not blessed: {'; '.join(failed)}" if failed else None


def _floor(name: str, value: float | None, bound: float) -> Gate:
    if value is None:
        return Gate(name, "floor", None, bound, False, f"could not be measured, and evaluate.floors asks for {bound:g}")
    return Gate(name, "floor", value, bound, _holds(name, value, bound), "evaluate.floors")


def _margin(name: str, value: float | None, live: Mapping[str, float] | None, margin: float) -> Gate:
    if live is None:
        return Gate(name, "margin", value, None, True, "no live release yet, nothing to compare with")
    if name not in live:
        return Gate(name, "margin", value, None, True, "the live release did not measure it")
    bound = live[name] - margin if describe(name).better == "higher" else live[name] + margin
    if value is None:
        return Gate(name, "margin", None, bound, False, f"could not be measured; the live release has {live[name]:.4g}")
    return Gate(
        name, "margin", value, bound, _holds(name, value, bound), f"live has {live[name]:.4g}, margin {margin:g}"
    )


def _holds(name: str, value: float, bound: float) -> bool:
    return value >= bound - SLACK if describe(name).better == "higher" else value <= bound + SLACK
