"""Where the records of a stage went, and what the stage gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.errors import StageError
from pipelines.runs.outputs import StageOutputs


def most_frequent_first(rejects: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return reject codes with their counts, equally frequent ones by name."""
    return sorted(rejects.items(), key=lambda one: (-one[1], one[0]))


@dataclass(frozen=True)
class Ledger:
    """Where every input record of a stage went; `total` = `ok` + `skipped` + `rejected`."""

    total: int
    ok: int
    skipped: int = 0
    rejected: int = 0
    rejects: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.total != self.ok + self.skipped + self.rejected:
            raise StageError(
                f"the ledger does not balance: {self.total} in, but {self.ok} ok + {self.skipped} skipped + "
                f"{self.rejected} rejected = {self.ok + self.skipped + self.rejected}; this is a defect, report it"
            )
        if sum(self.rejects.values()) != self.rejected:
            raise StageError(f"{self.rejected} rejected, but the reason codes count {sum(self.rejects.values())}")

    def counts(self) -> dict[str, int]:
        """Return the ledger under its published names."""
        return {"in": self.total, "ok": self.ok, "skipped": self.skipped, "rejected": self.rejected}

    def without(self, code: str) -> Ledger:
        """Return the ledger of all records but those rejected for one reason, which a stage may leave uncounted."""
        gone = self.rejects.get(code, 0)
        rest = {name: count for name, count in self.rejects.items() if name != code}
        return Ledger(self.total - gone, self.ok, self.skipped, self.rejected - gone, rest)

    def check_share(self, stage: str, limit: float) -> None:
        """Raise StageError when more than `limit` of the input was rejected."""
        if self.total and self.rejected / self.total > limit:
            codes = ", ".join(f"{code} {n}" for code, n in sorted(self.rejects.items(), key=lambda item: -item[1]))
            raise StageError(
                f"{stage} rejected {self.rejected} of {self.total} records ({self.rejected / self.total:.1%}; {codes}),"
                f" over {stage}.max_rejected_share = {limit:.1%}; mend the input or the "
                "config; raise the limit only if the shop can do without these"
            )


@dataclass(frozen=True)
class StageResult:
    """What a stage did: its ledger, more counts (`fetched`, `inferred`, …), outputs for later stages, and notes.

    `refusal` is the reason of a gate that said no after the work was done and kept (exit code 3). `given` names what
    the stage was given: a later run that is given the same may take its outputs, and says in `taken_from` whose run did
    the work.
    """

    ledger: Ledger
    counts: dict[str, int] = field(default_factory=dict)
    outputs: StageOutputs | None = None
    uri: str = ""
    notes: list[str] = field(default_factory=list)
    refusal: str | None = None
    given: str = ""
    taken_from: str = ""
