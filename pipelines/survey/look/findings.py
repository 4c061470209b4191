"""What was found: how much of it, an example, and the fix."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Weight = Literal["stops", "odd", "told"]
STOPS: Final[Weight] = "stops"
ODD: Final[Weight] = "odd"
TOLD: Final[Weight] = "told"
_MARKS: Final = {STOPS: "STOP ", ODD: "look ", TOLD: "     "}
_LONGEST_EXAMPLE: Final = 160


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
    """Return an example without its middle where it is long: what is said of a long address stands behind it."""
    end = _LONGEST_EXAMPLE // 3
    return text if len(text) <= _LONGEST_EXAMPLE else f"{text[: _LONGEST_EXAMPLE - end - 1]}…{text[-end:]}"
