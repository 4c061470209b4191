"""One gate of a release: what it compares, its verdict, and the words for it wherever people read it.

Evaluate judges and writes it, the report, promote and `status` tell it. Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

COMPARISONS: Final = {
    "floor": "floor",
    "histogram": "lead over colours",
    "margin": "beside the release then live",
    "anchor": "beside the best of the last releases",
}
"""What a gate of each rule compares with, in words."""
NOTHING_LIVE: Final = "no release was live then, so there was none to compare with"


@dataclass(frozen=True)
class Gate:
    """One verdict: a value beside its bound; `passed` is True also where there was nothing to compare.

    `rule` is "floor" (the metric's value), "histogram" (the least lead), "margin" (beside the release that was live) or
    "anchor" (beside the best of the last releases); of the last two, value and bound are differences where `paired`.
    The bound is the least value allowed where `least`, else the highest; None of releases that did not keep that.
    """

    metric: str
    rule: str
    value: float | None
    bound: float | None
    passed: bool
    note: str
    paired: bool = False
    least: bool | None = None

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Gate:
        """Return a gate as a release's manifest keeps it; what a version before did not keep is left open."""
        known = {field.name: kept[field.name] for field in fields(cls) if field.name in kept}
        return cls(**{"rule": "", "value": None, "bound": None, "passed": False, "note": ""} | known)

    def as_dict(self) -> dict[str, Any]:
        """Return the gate as written in a release's manifest."""
        return asdict(self)

    @property
    def is_open(self) -> bool:
        """Whether it let the release pass without a comparison: something was not measured, or nothing was live."""
        return self.passed and (self.value is None or self.bound is None)

    @property
    def is_bound(self) -> bool:
        """Whether its value is the 95 % bound of what was measured, and not that itself."""
        return self.value is not None and (self.paired or self.rule == "histogram")

    @property
    def verdict(self) -> str:
        """The verdict in a word or two; "not asked" where there was nothing to compare."""
        return "not asked" if self.is_open else "passed" if self.passed else "FAILED"

    @property
    def comparison(self) -> str:
        """What it compares with, in words: a metric may have several gates."""
        return COMPARISONS.get(self.rule, self.rule)

    def sentence(self) -> str:
        """Return the verdict in plain words."""
        if self.value is None or self.bound is None:
            return f"{self.metric}: {self.note}"
        allowed = "bound" if self.least is None else f"must be at {'least' if self.least else 'most'}"
        if self.paired:
            worst = "at worst" if self.least is None or self.least else "at most"
            return f"{self.metric}: {self.note}; {self.value:+.4g} {worst} (95 %), {allowed} {self.bound:+.4g}"
        return f"{self.metric} = {self.value:.4g}, {allowed} {self.bound:.4g} ({self.note})"


def tally(gates: Sequence[Gate]) -> str:
    """Return how many gates were passed, in words, and how many compared nothing; each says why itself."""
    unasked = [gate for gate in gates if gate.is_open]
    if not unasked:
        return "its only gate" if len(gates) == 1 else f"all {len(gates)} gates"
    alone = sum(gate.note == NOTHING_LIVE for gate in unasked)
    rest = [f"{alone} had no live release to compare with"] if alone else []
    if names := [gate.metric for gate in unasked if gate.note != NOTHING_LIVE]:
        rest.append(f"{len(names)} {'was' if len(names) == 1 else 'were'} not asked ({', '.join(names)})")
    return "; ".join([f"{sum(gate.passed for gate in gates) - len(unasked)} of {len(gates)} gates", *rest])
