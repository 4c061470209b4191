"""Why a release is not loaded: words for `/readyz`, the metrics and the log."""

from __future__ import annotations

from typing import Final

REASONS: Final = {
    "nothing_live": "no release was promoted yet",
    "unavailable": "the store does not answer",
    "damaged": "an object of the release is gone, or has other bytes than its manifest says",
    "hidden": "it cannot be read which items are hidden",
    "curated": "it cannot be read what curators have decided",
    "memory": "it would not fit beside what is in memory",
    "unusable": "its model and its index do not belong together, or this version cannot use them",
    "untrue": "its model does not give the vectors that its index holds",
}
"""By code; the code is a label of the metrics."""


class Refused(Exception):  # noqa: N818 - it tells of a release, not of the program
    """A release is not loaded: `reason` is a key of REASONS, `detail` is for people."""

    def __init__(self, reason: str, detail: str) -> None:
        if reason not in REASONS:
            raise ValueError(f"unknown reason {reason!r}: use one of {', '.join(REASONS)}")
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"
