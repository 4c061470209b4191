"""The stable names of all metrics, looked up: in `metrics.json`, in the gates of the config, in `docs/metrics.md`.

Owns the checks and the page, which is generated from the vocabulary. Imports nothing heavy.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pipelines.evaluate.vocabulary import SECTIONS, Metric

METRICS = [metric for section in SECTIONS.values() for metric in section]


class UnknownMetricError(Exception):
    """A metric name is not documented; the message names the known ones."""


def describe(name: str) -> Metric:
    """Return what a concrete name means. Raises UnknownMetricError that names the known ones."""
    for metric in METRICS:
        if metric.matches(name):
            return metric
    known = [metric.name for metric in METRICS if metric.better]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UnknownMetricError(f"there is no metric {name!r}; {hint}known ones: {', '.join(known)}")


def check_gate_names(names: Iterable[str]) -> None:
    """Raise UnknownMetricError when a gate names what is not a metric, or one that has no better direction."""
    for name in names:
        if not describe(name).better:
            known = [metric.name for metric in METRICS if metric.better]
            raise UnknownMetricError(f"{name!r} only counts, it cannot be a gate; use one of {', '.join(known)}")


def check_documented(names: Iterable[str]) -> None:
    """Raise UnknownMetricError when a measured name is not documented."""
    for name in names:
        describe(name)


def as_markdown() -> str:
    """Return `docs/metrics.md`."""
    lines = [HEADER]
    for title, metrics in SECTIONS.items():
        lines += [f"## {title}", "", "| name | unit | better | meaning |", "|---|---|---|---|"]
        lines += [f"| `{m.name}` | {m.unit} | {m.better or '–'} | {m.meaning} |" for m in metrics]
        lines.append("")
    return "\n".join(lines)


HEADER = """# Metrics

Every number of a release's report is in its `metrics.json` under one of these names, which are stable: gates in the
config, and later releases, refer to them. This page is generated from `pipelines/evaluate/vocabulary.py`; a test
compares the two.

* `{kind}` is `exact`, `hnsw`, `ivf_pca` or `binary`; `{k}` is 1, 10 or 100; `{level}` is `leaf` or `l1`, `l2`, …
  from the top of the taxonomy; `{attribute}` is an attribute of the feed, such as `colour`; `{search}` is `exact`
  or `hamming`; `{path}` is a category path, such as `shoes > boots`.
* Shares are between 0 and 1. What could not be measured is left out, never 0.
* A gate is one of `floors` (no worse than a value) or `margins` (no worse than the live release by more than a
  value) in the section `[evaluate]` of the config. Where lower is better, a floor is the highest value allowed.
  What has no better direction cannot be a gate. A metric that a floor names and that could not be measured fails
  its gate.
* A query of a role that the gallery holds (a catalogue photo) leaves out its own item and its duplicates, and for
  retrieval quality all items of the test split (a split keeps equal titles, photos and group_ids on one side). A query
  of another role (a street photo) is searched in the whole gallery.
"""
