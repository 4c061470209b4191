"""A row of nested values, as JSON and XML hold one -> a raw row of what is read; what is no text is a reject."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipelines.catalogue.formats.base import Columns, RawRow, is_text
from pipelines.catalogue.formats.nested import picked
from pipelines.catalogue.formats.text import no_text, shown


def checked_values(
    number: int, place: int, values: Mapping[str, Any], columns: Columns, encoding: str, *, is_plain: bool
) -> RawRow:
    """Return a row of the columns that are read, a reject where one of them is no text; `is_plain` spares the look."""
    if columns.naming.names:
        values = dict(zip(columns.naming.renamed(values), values.values(), strict=True))
    read = picked(values, columns.read) if columns.read else dict(values)
    if columns.also:
        read |= {name: value for name, value in values.items() if columns.wants(name)}
    bad = [] if is_plain else [name for name in read if not _is_text(name, read[name])]
    if not bad:
        return RawRow(number, read, place=place)
    why = no_text(json.dumps(read[bad[0]], ensure_ascii=False), encoding)
    good = {name: value for name, value in read.items() if name not in bad}
    return RawRow(number, good, "bad_utf8", f"column {shown(bad[0])!r} {why}; see catalogue.encoding", place)


def _is_text(name: str, value: Any) -> bool:
    return is_text(name) and is_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
