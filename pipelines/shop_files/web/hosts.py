"""What one run has seen of each host: how much came, what failed, and whether it is still worth asking."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

ALL_FAILED = 20
"""So many photos in a row that could not be fetched, and none that could: the host is left alone."""
MANY_FAILED = 200
"""The same of a host that has given some."""


@dataclass
class Tally:
    """What was asked of a host and what came of it; tallies add up.

    `codes` count photos that did not come, `further` answers that were none yet: `redirected`, `slower` where the host
    asks for fewer requests (429, or Retry-After with a failure), else the code of a failure.
    """

    requests: int = 0
    fetched: int = 0
    unchanged: int = 0
    bytes: int = 0
    seconds: float = 0.0
    codes: Counter[str] = field(default_factory=Counter)
    left_alone: bool = False
    in_a_row: int = 0
    further: Counter[str] = field(default_factory=Counter)

    def came(self, size: int | None) -> None:
        """Count a photo that came with so many bytes, or (None) was said to be as it was."""
        self.in_a_row = 0
        self.unchanged += size is None
        self.fetched += size is not None
        self.bytes += size or 0

    def gave_none(self, code: str) -> None:
        """Count what came as no photo, for nothing can be made of it."""
        self.fetched -= 1
        self.codes[code] += 1

    def failed(self, code: str, *, passes: bool) -> None:
        """Count a photo that did not come; `passes` tells that the failure is the host's and may pass."""
        self.codes[code] += 1
        if not passes:
            self.in_a_row = 0
            return
        self.in_a_row += 1
        limit = MANY_FAILED if self.fetched + self.unchanged else ALL_FAILED
        self.left_alone = self.left_alone or self.in_a_row >= limit

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.requests + other.requests,
            self.fetched + other.fetched,
            self.unchanged + other.unchanged,
            self.bytes + other.bytes,
            max(self.seconds, other.seconds),
            self.codes + other.codes,
            self.left_alone or other.left_alone,
            further=self.further + other.further,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the tally as JSON values, as it is now."""
        return vars(self) | {"codes": dict(self.codes), "further": dict(self.further)}

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> Tally:
        """Return the tally whose fields were kept as JSON."""
        return cls(**kept | {name: Counter(kept.get(name, {})) for name in ("codes", "further")})
