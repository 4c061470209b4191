"""Items that a document holds by their ids, as Firebase exports them: fields of one object, and no rows."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_FEWEST: Final = 3
"""Objects of one kind, as items by their ids."""
_SHARED: Final = 0.5
"""The least share of them that have a field which tells their kind."""
_DEEPEST: Final = 3


@dataclass(frozen=True)
class _Keyed:
    """Objects by their keys, and where a document has them."""

    path: tuple[str, ...]
    objects: Sequence[Mapping[str, Any]]

    @property
    def lists(self) -> list[str]:
        """Fields that hold objects by keys of each one's own, as photos."""
        names = dict.fromkeys(name for one in self.objects for name in one)
        return [name for name in names if _is_keyed([one[name] for one in self.objects if name in one])]


def advice(row: Mapping[str, Any], file: str) -> str:
    """Return how to write the items of a document as rows, "" where it holds none by their ids."""
    found = max(_keyed(row, ()), key=lambda one: len(one.objects), default=None)
    if found is None:
        return ""
    steps = ["." + _place(found.path), "to_entries[]", "{id: .key} + .value"]
    steps += [f".{_place([name])} |= [.[]?]" for name in found.lists]
    program = " | ".join(steps)
    return (
        f"{file} holds {len(found.objects)} items by their ids, in {'.'.join(found.path)!r}, and no rows; write them "
        f"one a line, with jq: jq -c {shlex.quote(program)} {shlex.quote(file)} > items.jsonl"
    )


def _place(path: Sequence[str]) -> str:
    return "".join(f"[{json.dumps(key, ensure_ascii=False)}]" for key in path)


def _keyed(value: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[_Keyed]:
    for key, below in value.items():
        if isinstance(below, dict) and len(path) < _DEEPEST:
            objects = [one for one in below.values() if isinstance(one, dict)]
            fields = Counter(name for one in objects for name in one)
            is_kind = sum(count >= _SHARED * len(objects) for count in fields.values()) > 1
            if _FEWEST <= len(objects) == len(below) and is_kind:
                yield _Keyed((*path, key), objects)
            else:
                yield from _keyed(below, (*path, key))


def _is_keyed(values: Sequence[Any]) -> bool:
    """Tell whether values are objects that hold others by keys of which hardly two are alike."""
    keys = [key for value in values if isinstance(value, dict) for key in value]
    hold = all(isinstance(value, dict) and all(isinstance(one, dict) for one in value.values()) for value in values)
    return hold and len(values) > 1 and len({*keys}) > _SHARED * len(keys)
