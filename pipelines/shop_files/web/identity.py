"""Which addresses name one photo: all with the same path and, of the query, what a config does not say to ignore.

An address that is signed anew each day is another address each day, and yet the same photo.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import parse_qsl

import pyarrow as pa

from pipelines.config import Config
from pipelines.shop_files.uri import address_of

ALL: Final = "all"


@dataclass(frozen=True)
class Identity:
    """Tells by what a photo is known: its uri, less the parameters `ignored` of an address, ALL for the whole query."""

    ignored: frozenset[str] = frozenset()
    root: str = ""

    @classmethod
    def of_config(cls, config: Config) -> Self:
        """Return what a config says; relative uris start from its folder of photos, where that is an address."""
        ignored, root = config.fetch.ignored_query, config.locate(config.catalogue.photo_root)
        names = [ignored] if isinstance(ignored, str) else ignored
        # It travels to workers, to which a folder of this machine is no business.
        return cls(frozenset(names), root if address_of("photo", root) is not None else "")

    def of(self, uri: str) -> str:
        """Return by what a photo is known."""
        if not self.ignored or "?" not in uri or address_of(uri, self.root) is None:
            return uri
        address, _, query = uri.partition("#")[0].partition("?")
        named = query.split("&")
        kept = [one for one in named if not {ALL, one.partition("=")[0]} & self.ignored]
        return f"{address}?{'&'.join(kept)}" if kept else address

    def column(self, uris: pa.Array | pa.ChunkedArray) -> pa.Array:
        """Return by what the photos of a column are known."""
        if not self.ignored:
            return uris.combine_chunks() if isinstance(uris, pa.ChunkedArray) else uris
        return pa.array(map(self.of, uris.to_pylist()), pa.string())


def stem(uri: str) -> str:
    """Return a uri without its query: whatever is ignored, those that may be one photo have the same."""
    return uri.partition("?")[0]


def differing(uri: str, others: Iterable[str]) -> list[str]:
    """Return the parameters in which an address differs from the first of others of the same stem."""
    now = dict(parse_qsl(uri.partition("?")[2], keep_blank_values=True))
    before = dict(parse_qsl(next(iter(others), "").partition("?")[2], keep_blank_values=True))
    return sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
