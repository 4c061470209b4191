"""The first rows of a feed, as the catalogue's reader has them."""

from __future__ import annotations

import time
from contextlib import suppress
from itertools import islice
from typing import Final

from pipelines.catalogue.arrivals import SNAPSHOT
from pipelines.catalogue.feeds import find_feeds
from pipelines.catalogue.formats.base import FeedError, Notation, RawRow
from pipelines.catalogue.headers import columns_of
from pipelines.catalogue.rows import read_rows
from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.store import StoreError

ROWS: Final = 5_000
"""The rows of the first file that are looked at."""


def first_rows(config: Config) -> list[RawRow]:
    """Return the sound ones of a snapshot's first rows; none of a feed that cannot be read, which the stage tells of.

    A feed behind an address is kept in the config's store, which is to be one that is thrown away.
    """
    section = config.catalogue
    with suppress(FeedError, StageError, StoreError):
        for one in find_feeds(config, time.time()).of(SNAPSHOT):
            rows = read_rows(one.file, Notation.of(section), columns_of(section, SNAPSHOT))
            return [row for row in islice(rows, ROWS) if not row.code]
    return []
