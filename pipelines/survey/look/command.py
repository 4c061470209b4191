"""`visual-search check`: a config -> what its feed and a sample of its photos hold, and what would stop a run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipelines.config import Config
from pipelines.jobs.jobs import worker_threads
from pipelines.models.advice import weights_advice
from pipelines.preprocess.prepare import Preparer
from pipelines.survey.look.encodings import encoding_findings
from pipelines.survey.look.fetched import Sample, fetch_sample
from pipelines.survey.look.findings import ODD, STOPS, Finding
from pipelines.survey.look.first_rows import first_rows
from pipelines.survey.look.items import Items
from pipelines.survey.look.merged import merged_findings
from pipelines.survey.look.photos import photo_findings, pretrained_size
from pipelines.survey.look.reading import Reading, local, read_catalogue
from pipelines.survey.look.uris import Uris
from pipelines.telemetry.progress import Progress


@dataclass(frozen=True)
class Report:
    """What was found of a config, whose path is given, and how many items and photos there are."""

    config: str
    findings: tuple[Finding, ...]
    items: int
    photos: int

    @property
    def stops(self) -> list[Finding]:
        """What would stop a run."""
        return [one for one in self.findings if one.weight == STOPS]

    @property
    def next(self) -> str:
        """What to do now."""
        run = f"visual-search run --config {self.config}"
        if self.stops:
            return (
                f"next: mend what is marked STOP ({len(self.stops)}), then: visual-search check --config {self.config}"
            )
        odd = sum(one.weight == ODD for one in self.findings)
        worth = f"; findings that are worth a look: {odd}" if odd else ""
        return f"next: {run} (nothing stops it{worth})"

    def lines(self) -> Iterator[str]:
        """Yield it for people: what stops a run comes first."""
        yield f"{self.config}: {self.items:,} items, {self.photos:,} photos"
        yield from (one.line() for one in sorted(self.findings, key=lambda one: one.weight != STOPS))
        yield self.next

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        found = [one.as_json() for one in self.findings]
        return {
            "config": self.config, "items": self.items, "photos": self.photos, "stops": len(self.stops),
            "findings": found, "next": self.next,
        }  # fmt: skip


def check_config(config: Config, path: str, photos: int, seconds: float, progress: Progress) -> Report:
    """Look at a config's feed, all of it, and at a sample of its photos. Nothing is left behind.

    Raises StageError when a bucket cannot be asked.
    """
    with tempfile.TemporaryDirectory(prefix="visual-search-check-") as scratch:
        reading = read_catalogue(config, Path(scratch), progress)
        rows = first_rows(local(config, Path(scratch))) if reading.has_rows else []
        encodings = encoding_findings(rows, config.catalogue.encoding)
        reading = replace(reading, findings=(*reading.findings, *encodings, *merged_findings(rows, config.catalogue)))
        if not reading.catalogue_id:
            return Report(path, reading.findings, 0, 0)
        return _looked_at(config, path, reading, photos, seconds, progress)


def _looked_at(config: Config, path: str, reading: Reading, photos: int, seconds: float, progress: Progress) -> Report:
    items, preparer = Items.of(reading), Preparer.of(config, worker_threads(config.beam))
    uris = Uris.of(reading, preparer.fetcher, photos)
    chosen, total = uris.sample(), uris.distinct
    progress.say(f"check: fetching {len(chosen)} of {total:,} photos, for {seconds:g} s at most")
    sample = fetch_sample(preparer, reading.store, chosen, seconds)
    findings = (
        *reading.findings,
        *items.findings(config, reading),
        *uris.findings(reading, config.preprocess.max_items_a_photo),
        *photo_findings(config, preparer, sample, total),
        *_training(config, sample, total),
    )
    return Report(path, findings, items.count, total)


def _training(config: Config, sample: Sample, total: int) -> Iterator[Finding]:
    if total < config.train.min_images:
        what = f"{total} photos are too few to train from (train.min_images = {config.train.min_images})"
        yield Finding("too_few_photos", STOPS, what, fix="add photos, or lower train.min_images to try things out")
    advice = weights_advice(total, config.train.initial_weights, pretrained_size(sample))
    if advice:
        yield Finding("weights", "told", advice)
