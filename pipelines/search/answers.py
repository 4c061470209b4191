"""The words of a search: one query as it was asked, and its answer. Knows neither model nor index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.neighbours.results import Result


@dataclass(frozen=True)
class Answer:
    """The answer to one query, a path or an item id, best result first.

    A query that could not be asked has a `code` and a `detail` instead of results. `photo` is the prepared query, a
    JPEG; empty for an item.
    """

    query: str
    release_id: str
    results: Sequence[Result] = ()
    code: str = ""
    detail: str = ""
    photo: bytes = field(default=b"", repr=False)

    @property
    def failed(self) -> bool:
        """Whether the query could not be asked."""
        return bool(self.code)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as published: `error` is there only where the query could not be asked."""
        value = {
            "query": self.query,
            "release_id": self.release_id,
            "results": [result.as_dict() for result in self.results],
        }
        return value | ({"error": {"code": self.code, "detail": self.detail}} if self.failed else {})
