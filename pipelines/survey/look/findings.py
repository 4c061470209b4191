"""What was found: how much of it, an example, and the fix."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Weight = Literal["stops", "odd", "told"]
STOPS: Final[Weight] = "stops"
ODD: Final[Weight] = "odd"
TOLD: Final[Weight] = "told"
_MARKS: Final = {STOPS: "STOP ", ODD: "look ", TOLD: "     "}
_LONGEST_EXAMPLE: Final = 800
_LONG_WORD: Final = re.compile(r"\S{121,}")
"""An address, mostly: what is said of it stands behind it, and is not cut."""


@dataclass(frozen=True)
class Finding:
    """One thing to know: whether it stops a run, is odd, or is only told; `fix` is the setting or deed, "" for none."""

    code: str
    weight: Weight
    what: str
    count: int | None = None
    examples: tuple[str, ...] = ()
    fix: str = ""

    def line(self) -> str:
        """Return it for people, on one line."""
        count = "" if self.count is None else f": {self.count:,}"
        such = f", such as {'; '.join(map(_shortened, self.examples))}" if self.examples else ""
        fix = f" -> {self.fix}" if self.fix else ""
        return " ".join(f"{_MARKS[self.weight]}{self.what}{count}{such}{fix}".split("\n"))

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self) | {"examples": list(self.examples)}


def _shortened(text: str) -> str:
    """Return an example without the middle of its long words, or its own where it is longer than any message."""
    return _without_middle(_LONG_WORD.sub(lambda found: _without_middle(found[0], 120), text), _LONGEST_EXAMPLE)


def _without_middle(text: str, most: int) -> str:
    end = most // 3
    return text if len(text) <= most else f"{text[: most - end - 1]}…{text[-end:]}"
