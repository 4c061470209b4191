"""What became of the photos of a catalogue, counted by bucket and added up, with an example of each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import pyarrow as pa

from pipelines.runs.inputs import first_examples
from pipelines.runs.ledger import most_frequent_first
from pipelines.shop_files.web.web import PASSING


@dataclass
class Summary:
    """Photos by reject code (`ok`, `skipped` of those without), and those that stay though their addresses give none.

    Of each code an example is named by its uri, and `said` tells by uri what its host said.
    """

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    kept: Counter[str] = field(default_factory=Counter)
    kept_examples: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, photos: pa.Table) -> Self:
        """Return the summary of resolved photos (WORKING)."""
        summary, told = cls(), dict[str, str]()
        columns = (photos[name].to_pylist() for name in ("image_uri", "code", "done_now", "said"))
        for uri, code, done, said in zip(*columns, strict=True):
            summary.counts[code or ("ok" if done else "skipped")] += 1
            told[uri] = said or ""
            if code:
                summary.examples[code] = min(uri, summary.examples.get(code, uri))
            elif said and (refusal := said.partition(":")[0]):
                summary.kept[refusal] += 1
                summary.kept_examples[refusal] = min(uri, summary.kept_examples.get(refusal, uri))
        return summary._with(told)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return the summary that was kept as JSON."""
        counts, of_kept = (Counter(kept[name]) for name in ("counts", "kept"))
        return cls(counts, kept["examples"], of_kept, kept["kept_examples"], kept["said"])

    def as_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return vars(self)

    def notes(self, gone_days: float) -> Iterator[str]:
        """Yield what people should hear of photos that stay for `gone_days` though their addresses give none."""
        if not self.kept:
            return
        codes = most_frequent_first(self.kept)
        uri = self.kept_examples[codes[0][0]]
        yield (
            f"photos that stay as they were, though their addresses give none now: {self.kept.total()} "
            f"({', '.join(f'{code} {count}' for code, count in codes)}), such as {uri}: {self.said.get(uri, '')}; "
            f"{_what_next(self.kept, gone_days)}"
        )

    def __add__(self, other: Summary) -> Summary:
        examples = first_examples(self.examples, other.examples)
        kept = first_examples(self.kept_examples, other.kept_examples)
        both = Summary(self.counts + other.counts, examples, self.kept + other.kept, kept)
        return both._with(self.said | other.said)

    def _with(self, said: Mapping[str, str]) -> Self:
        """Take of what hosts said that of the examples."""
        uris: Iterable[str] = (*self.examples.values(), *self.kept_examples.values())
        self.said = {uri: said[uri] for uri in uris if said.get(uri)}
        return self


def _what_next(kept: Mapping[str, int], gone_days: float) -> str:
    """Return what becomes of photos that stay, by their codes: which are asked for again, and which go in the end."""
    passing = sorted(code for code in kept if code in PASSING)
    again = f"{' and '.join(passing)}: the next run asks again" if passing else ""
    going = f"what stays so for {gone_days:g} days (fetch.gone_days) is a reject then"
    if len(passing) == len(kept):
        return again
    return f"{again}; of the others, {going}" if again else going
