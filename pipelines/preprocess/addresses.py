"""Photos behind addresses: when one is asked for again, and what an answer makes of what was known. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pipelines.config.fetching import FetchSection
from pipelines.preprocess.outcomes import LIMITS, Outcome
from pipelines.shop_files.web.memory import Memory

REFUSALS = frozenset({"missing", "forbidden", "http_error"})
"""What a host says of an address that leads to nothing any more."""
MOST_SAID = 200
"""Characters of what a host said that are kept."""
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

    def without(self, code: str, detail: str, known: bytes | None, memory: Memory) -> Outcome:
        """Return what becomes of a photo whose address gives none now; one that is known stays for some days.

        Whatever its host says instead: that it is gone, a page to log in, half a picture or one of a single pixel. What
        may be mended tomorrow is asked for again by the next run, what is said to be gone after `recheck_hours`.
        """
        since, said = memory.missing_since or self.now, _said(code, detail)
        if known is None or self.now - since >= self.section.gone_days * DAY_S:
            return Outcome(None, source_code=code, fingerprint=str(Memory(missing_since=since, said=said)))
        again = "" if code in REFUSALS else code
        kept = replace(memory, missing_since=since, failed=again, unchanged=False, said=said)
        return Outcome(known, kept=True, fingerprint=str(kept))


def failed(code: str, detail: str, known: bytes | None, memory: Memory) -> Outcome:
    """Return what becomes of a photo whose host failed: one that is known stays as it was, and is asked for again."""
    said = _said(code, detail)
    if known is not None:
        return Outcome(known, kept=True, fingerprint=str(replace(memory, failed=code, unchanged=False, said=said)))
    return Outcome(None, source_code=code, fingerprint=str(Memory(failed=code, said=said)))


def unchanged(known: bytes, memory: Memory, etag: str, modified: str) -> Outcome:
    """Return what becomes of a photo whose host says that it is as it was."""
    remembered = Memory(etag or memory.etag, modified or memory.modified, unchanged=True)
    return Outcome(known, kept=True, fingerprint=str(remembered))


def arrived(outcome: Outcome, etag: str, modified: str) -> Outcome:
    """Return what becomes of a photo that came and can be used."""
    return replace(outcome, fingerprint=str(Memory(etag, modified)))


def _said(code: str, detail: str) -> str:
    return f"{code}: {detail}"[:MOST_SAID] if detail else code
