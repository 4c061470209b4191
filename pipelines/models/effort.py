"""How much a model was trained: whether it has seen the photos often enough to have learned from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

OFTEN: Final = 10
"""A training that sees each photo so many times has a chance to learn from it."""
SELDOM: Final = 3
"""One that sees each photo fewer times is told to be short."""


def short_training(facts: Mapping[str, Any]) -> str:
    """Return that a model (its `model.json`) has learned for a short time only, and what would change that.

    Returns "" of one that has seen each photo often enough, that went on from another model, or that does not say.
    """
    metrics, lineage = facts.get("metrics", {}), facts.get("lineage") or {}
    if "train.seen" not in metrics or lineage.get("parent"):
        return ""
    times = metrics["train.seen"] / max(1.0, metrics["train.photos"])
    if times >= SELDOM:
        return ""
    each = "less than once each" if times < 1 else f"each {times:.1f} times"
    more = OFTEN / max(times, 1e-9)
    minutes, steps = more * metrics["train.seconds"] / 60, more * metrics["train.steps"]
    return (
        f"the model has learned for only {metrics['train.steps']:,.0f} steps, {metrics['train.seen']:,.0f} photos "
        f"seen, {each}: raise train.minutes ({minutes:,.3g} minutes would see each photo {OFTEN} times at this "
        f"machine's speed), or train.steps ({steps:,.0f}) where these are set"
    )
