"""The columns of a file by the names that the mapping has for them, however an export of the format spells them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from pipelines.config import CatalogueSection
from pipelines.config.formats import preset
from pipelines.tables.spelling import visible

_PREFIX = re.compile(r"^[gc]:")
"""Of the namespaces of Google's own and of custom attributes."""
_BETWEEN_WORDS = re.compile(r"[\s_-]+")


@dataclass(frozen=True)
class Naming:
    """Names of the mapping by how they may be spelt; `others` are spellings of which the first that is there counts."""

    names: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, section: CatalogueSection) -> Naming:
        """Return how the config's format spells what is read; without a format names are exact."""
        if section.format is None:
            return cls()
        wanted = {folded(name): name for name in (*preset(section.format).names, *section.columns.names)}
        others = {name: [folded(one) for one in also] for name, also in preset(section.format).names.items()}
        return cls(wanted, others)

    def renamed(self, there: Iterable[str]) -> list[str]:
        """Return the names for some columns, each once; what comes again gets a number."""
        there = list(there)
        if not self.names:
            return there
        spelt = {folded(name): name for name in reversed(there)}
        meant = {spelt[key]: name for key, name in self.names.items() if key in spelt}
        for name, others in self.others.items():
            first = next((spelt[other] for other in others if other in spelt), None)
            if first is not None and name not in meant.values():
                meant.setdefault(first, name)
        return _numbered(meant.get(name, name) for name in there)


@cache
def folded(name: str) -> str:
    """Return a name without case, prefix and what stands between its words: Image_Link, g:image_link, image link."""
    return _BETWEEN_WORDS.sub("", _PREFIX.sub("", visible(name).strip().casefold()))


def _numbered(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 or not name else f"{name} {seen[name]}")
    return found
