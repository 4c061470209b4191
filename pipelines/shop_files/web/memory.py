"""What is remembered of a photo behind an address, in the place of the fingerprint that a file has."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Self

PREFIX = "web "


@dataclass(frozen=True)
class Memory:
    """What the last answer said: validators for a conditional request, and what went wrong since the last good one.

    `failed` is the code of a failure that may pass; `missing_since` (seconds since 1970) when the address of a photo
    that is still used led to none for the first time; `unchanged` tells that the last answer was that. `said` is the
    code and cause of an answer that held no photo, for people.
    """

    etag: str = ""
    modified: str = ""
    failed: str = ""
    missing_since: float = 0.0
    unchanged: bool = False
    said: str = ""

    def __str__(self) -> str:
        return PREFIX + json.dumps({name: value for name, value in asdict(self).items() if value}, sort_keys=True)

    @classmethod
    def of(cls, fingerprint: str | None) -> Self:
        """Read what was remembered; nothing of what is no such text."""
        if not fingerprint or not fingerprint.startswith(PREFIX):
            return cls()
        text = fingerprint.removeprefix(PREFIX)
        known, _ = json.JSONDecoder().raw_decode(text)  # a limit's tag may stand behind it
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in known.items() if name in names})

    @property
    def came(self) -> bool:
        """Whether the last answer was the photo itself."""
        return not (self.failed or self.missing_since or self.unchanged)

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a request that asks for what has changed."""
        conditions = {"If-None-Match": self.etag, "If-Modified-Since": "" if self.etag else self.modified}
        return {name: value for name, value in conditions.items() if value}
