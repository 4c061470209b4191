"""What the formats have in common: how a feed is written, a raw row, and the error of a file that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipelines.catalogue.formats.naming import Naming
from pipelines.config import CatalogueSection
from pipelines.tables.spelling import visible

MAX_ID_CHARACTERS = 512
_CONTROL = re.compile(r"[\x00-\x1f]")


class FeedError(Exception):
    """A feed cannot be read at all; the message names the file and the fix."""


class UnreadableError(Exception):
    """A file cannot be read as what it is taken for; the message says why and the fix, and not which."""


@dataclass(frozen=True)
class Notation:
    """How a text feed is written: marks between and around cells, encoding if the file does not tell, lines above.

    An empty delimiter is the one that the header has.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    encoding: str = "utf-8"
    skip_lines: int = 0

    @classmethod
    def of(cls, section: CatalogueSection) -> Notation:
        """Return the notation that a config describes; with a format the header tells what it does not say."""
        is_told = section.format is None or "delimiter" in section.model_fields_set
        return cls(
            section.delimiter if is_told else "", section.quote, section.escape, section.encoding, section.skip_lines
        )


@dataclass(frozen=True)
class Columns:
    """Which of a feed's columns hold its ids and its photos, and all that are read; all there are if it is empty.

    Those of a name that `also` matches are read too. `naming` tells the names by which a file has them. Where no column
    is known, `likely` are the names that fields of rows have at any depth, in lower case without marks.
    """

    item_id: str = ""
    photos: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    also: re.Pattern[str] | None = None
    naming: Naming = field(default_factory=Naming)
    likely: frozenset[str] = frozenset()

    def wants(self, name: str) -> bool:
        """Tell whether a column is read."""
        return not self.read or name in self.read or bool(self.also and self.also.fullmatch(name))


@dataclass(frozen=True)
class RawRow:
    """One row of a feed: its values by column, or a reject code and detail with what values could be read.

    `number` counts rows from 1, `place` is the line it starts at (in Parquet the row). `may_name` are ids that a
    damaged row may have meant. `ends_early` tells that rows behind it are lost: the file was cut off.
    """

    number: int
    values: dict[str, Any]
    code: str = ""
    detail: str = ""
    place: int = 0
    may_name: tuple[str, ...] = field(default=())
    ends_early: bool = False


def possible_ids(texts: Iterable[str]) -> tuple[str, ...]:
    """Return what of some texts may be ids, each once, without control characters and spaces around them."""
    cleaned = (visible(_CONTROL.sub("", text)).strip() for text in texts)
    return tuple(dict.fromkeys(text for text in cleaned if 0 < len(text) <= MAX_ID_CHARACTERS))


def is_text(value: str) -> bool:
    """Tell whether a text can be written again: bytes that could not be decoded are lone surrogates in it."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
