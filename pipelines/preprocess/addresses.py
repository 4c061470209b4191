"""Photos behind addresses: when one is asked for again, and what an answer makes of what was known. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pipelines.config.fetching import FetchSection
from pipelines.preprocess.outcomes import LIMITS, Outcome
from pipelines.shop_files.web.memory import Memory

REFUSALS = frozenset({"missing", "forbidden", "http_error"})
"""What a host says of an address that leads to nothing any more."""
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True)
class Source:
    """What a run before has learned of an address: the row of the table of sources."""

    fingerprint: str
    fetched_at: datetime
    digest: bytes | None
    code: str


@dataclass(frozen=True)
class Ages:
    """How old an answer may be; `now` in seconds since 1970."""

    section: FetchSection
    limit_tags: frozenset[str]
    now: float = 0.0

    def is_due(self, source: Source) -> bool:
        """Tell whether an address is to be asked again: after a failure at once, else when its answer is old."""
        memory, hours = Memory.of(source.fingerprint), (self.now - source.fetched_at.timestamp()) / HOUR_S
        if memory.failed:
            return True
        if source.code in LIMITS and not any(source.fingerprint.endswith(f" {tag}") for tag in self.limit_tags):
            return True
        is_good = source.digest is not None and not memory.missing_since
        return hours >= (self.section.max_age_hours if is_good else self.section.recheck_hours)

    def refused(self, code: str, known: bytes | None, memory: Memory) -> Outcome:
        """Return what becomes of a photo whose address leads to nothing; one that is known stays for some days."""
        since = memory.missing_since or self.now
        if known is not None and code in REFUSALS and self.now - since < self.section.gone_days * DAY_S:
            kept = replace(memory, missing_since=since, failed="", unchanged=False)
            return Outcome(known, kept=True, fingerprint=str(kept))
        return Outcome(None, source_code=code, fingerprint=str(Memory(missing_since=since)))


def failed(code: str, known: bytes | None, memory: Memory) -> Outcome:
    """Return what becomes of a photo whose host failed: one that is known stays as it was, and is asked for again."""
    remembered = str(replace(memory, failed=code, unchanged=False))
    if known is not None:
        return Outcome(known, kept=True, fingerprint=remembered)
    return Outcome(None, source_code=code, fingerprint=str(Memory(failed=code)))


def unchanged(known: bytes, memory: Memory, etag: str, modified: str) -> Outcome:
    """Return what becomes of a photo whose host says that it is as it was."""
    remembered = Memory(etag or memory.etag, modified or memory.modified, unchanged=True)
    return Outcome(known, kept=True, fingerprint=str(remembered))


def arrived(outcome: Outcome, etag: str, modified: str) -> Outcome:
    """Return what becomes of a photo that came; a body that is no picture is a reject of its address, asked again."""
    remembered = str(Memory(etag, modified))
    if outcome.code:
        return Outcome(None, source_code=outcome.code, fingerprint=remembered)
    return replace(outcome, fingerprint=remembered)
