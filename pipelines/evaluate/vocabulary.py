"""The vocabulary of `metrics.json`: every stable name, its unit, its better direction and its meaning.

The words are in `vocabulary.toml`, from which `docs/metrics.md` is made; here they are looked up: by metrics, by the
gates of a config, by the report. Imports nothing heavy.
"""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Better = Literal["higher", "lower", ""]

PLACEHOLDERS = {
    "{kind}": "(exact|hnsw|ivf_pca|binary)",
    "{k}": r"(1|10|100)",
    "{level}": r"(leaf|l[1-9]\d*)",
    "{attribute}": r"[^.]+",
    "{search}": "(exact|hamming)",
    "{path}": ".+",
    "{metric}": ".+",
    "{stage}": "(catalogue|preprocess|train|embed|index)",
    "{count}": "(in|ok|skipped|rejected)",
}


class UnknownMetricError(Exception):
    """A metric name is not documented; the message names the known ones."""


@dataclass(frozen=True)
class Metric:
    """One documented name, or a family of them with a `{placeholder}`; `better` is empty for what cannot be a gate."""

    name: str
    better: Better
    unit: str
    meaning: str

    def matches(self, name: str) -> bool:
        """Tell whether a concrete name belongs to this metric."""
        return _pattern(self.name).fullmatch(name) is not None


@functools.cache
def _pattern(name: str) -> re.Pattern[str]:
    pattern = re.escape(name)
    for placeholder, expression in PLACEHOLDERS.items():
        pattern = pattern.replace(re.escape(placeholder), expression)
    return re.compile(pattern)


def _read_sections() -> dict[str, list[Metric]]:
    raw = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {title: [Metric(name, *words) for name, words in metrics.items()] for title, metrics in raw.items()}


SECTIONS = _read_sections()
METRICS = [metric for section in SECTIONS.values() for metric in section]


def describe(name: str) -> Metric:
    """Return what a concrete name means. Raises UnknownMetricError that names the known ones."""
    for metric in METRICS:
        if metric.matches(name):
            return metric
    known = [metric.name for metric in METRICS if metric.better]
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise UnknownMetricError(f"there is no metric {name!r}; {hint}known ones: {', '.join(known)}")


def is_documented(name: str) -> bool:
    """Tell whether a concrete name has a meaning today; releases of other versions were measured by other names too."""
    return any(metric.matches(name) for metric in METRICS)


def check_gate_names(names: Iterable[str]) -> None:
    """Raise UnknownMetricError when a gate names what is not a metric, or one that has no better direction."""
    for name in names:
        if name.startswith("judge."):
            raise UnknownMetricError(f"{name!r} is what people say later, so promote asks it; see promote.judged")
        if not describe(name).better:
            known = [metric.name for metric in METRICS if metric.better]
            raise UnknownMetricError(f"{name!r} only counts, it cannot be a gate; use one of {', '.join(known)}")


def check_documented(names: Iterable[str]) -> None:
    """Raise UnknownMetricError when a measured name is not documented."""
    for name in names:
        describe(name)


def queries_for(metrics: Mapping[str, float], name: str) -> int | None:
    """Return how many queries a metric was measured on; None where its release did not say."""
    count = metrics.get(f"queries.for.{name}")
    return None if count is None else int(count)


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
config, and later releases, refer to them. This page is generated from `pipelines/evaluate/vocabulary.toml`; a test
compares the two.

* `{kind}` is `exact`, `hnsw`, `ivf_pca` or `binary`; `{k}` is 1, 10 or 100; `{level}` is `leaf` or `l1`, `l2`, …
  from the top of the taxonomy; `{attribute}` is an attribute of the feed, such as `colour`; `{search}` is `exact`
  or `hamming`; `{path}` is a category path, such as `shoes > boots`; `{metric}` is one of the other names.
* Shares are between 0 and 1. What could not be measured is left out, never 0.
* Means are over queries, each by the number of photos it stands for: every leaf has a few queries at least, which weigh
  less for that. What was measured of each query is in `queries.parquet`, beside `metrics.json`.
* A gate is one of `floors` (no worse than a value) or `margins` (no worse than the live release, and the best of the
  last ones that were live, by more than a value) in the section `[evaluate]` of the config. Where lower is better, a
  floor is the highest value allowed. What has no better direction cannot be a gate. A metric that a floor names and
  that could not be measured fails its gate, but for `retrieval.worst_decile_p_at_10`, which few queries cannot tell:
  then the gate is not asked. A name with a `{placeholder}` holds for every metric of its kind.
* A query of a role that the gallery holds (a catalogue photo) leaves out its own item and its duplicates, and for
  retrieval quality all items of the test split (a split keeps equal titles, photos and group_ids on one side); where
  the name says `cold`, its own photo alone. A query of another role (a street photo) is searched in the whole gallery.
"""
