"""What a benchmark is expected to show, beside what it showed: a shortfall stays in the result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def at_least(what: str, value: float | None, wanted: float) -> dict[str, Any]:
    """Return the check that a value is no less than `wanted`; one that was not measured is not reached."""
    return _check(what, value, f"at least {wanted:g}", value is not None and value >= wanted)


def at_most(what: str, value: float | None, wanted: float) -> dict[str, Any]:
    """Return the check that a value is no more than `wanted`; one that was not measured is not reached."""
    return _check(what, value, f"at most {wanted:g}", value is not None and value <= wanted)


def _check(what: str, value: float | None, wanted: str, reached: bool) -> dict[str, Any]:
    return {
        "what": what,
        "value": None if value is None else float(f"{value:.4g}"),
        "wanted": wanted,
        "reached": reached,
    }


def keep(name: str, result: dict[str, Any]) -> None:
    """Keep a result in benchmarks/results/ as the last one of its name, and print it."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(text)
