"""OpenSearch: an index with a k-NN field, bulk requests as files, and an index a release behind an alias.

Source of the formats: the k-NN plugin's field type `knn_vector` and its methods; the bulk API.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pyarrow as pa

from pipelines.errors import StageError
from pipelines.export.loader import Loader, incomplete, lacking
from pipelines.export.points import Point, as_json, points_of
from pipelines.export.schemas import About

USER, PASSWORD = "OPENSEARCH_USERNAME", "OPENSEARCH_PASSWORD"
BATCH: Final = 500
"""Photos a request: some 3 MB of 512 numbers each."""
TRIES, PAUSE_S = 5, 2.0
"""How often what the cluster is too busy for is sent again, and how long to wait at first."""
TIMEOUT_S: Final = 120
_TEXT: Final = {"type": "text"}
_WORD: Final = {"type": "keyword"}


def index_of(about: About, _: str = "") -> Mapping[str, Any]:
    """Return the body that creates the index.

    The vectors' method is HNSW by Lucene: it filters while it searches, and is on every cluster that has the k-NN
    plugin. All attributes are one `flat_object`: their names are the shop's, as many as it likes.
    """
    method = {"name": "hnsw", "engine": "lucene", "parameters": {"m": 16, "ef_construction": 128}}
    vector = {"type": "knn_vector", "dimension": about.dim, "space_type": "innerproduct", "method": method}
    fields = {
        "item_id": _WORD,
        "group_id": _WORD,
        "photo": _WORD,
        "image_uri": {"type": "keyword", "index": False},
        "position": {"type": "integer"},
        "title": _TEXT,
        "price": {"type": "double"},
        "category": _WORD,
        "attributes": {"type": "flat_object"},
        "embedding": vector,
    }
    return {"index.json": {"settings": {"index.knn": True}, "mappings": {"dynamic": "strict", "properties": fields}}}


def document(point: Point) -> dict[str, Any]:
    """Return what is kept of a photo."""
    return {**point.payload, "embedding": point.vector}


def encode(table: pa.Table) -> bytes:
    """Return the body of a bulk request to the index's own address: a line that says what to do, then the document."""
    lines = (as_json(line) for point in points_of(table) for line in ({"index": {"_id": point.uuid}}, document(point)))
    return b"".join(line + b"\n" for line in lines)


LOADER: Final = Loader("opensearch", 1, "points", ".ndjson", 2_000, encode, index_of)


class OpenSearchTarget:
    """A cluster of OpenSearch. The index is `<name>-<release>`; the alias `<name>` is what readers ask."""

    def __init__(self, url: str, name: str) -> None:
        try:
            import opensearchpy
        except ImportError as error:
            raise lacking("opensearch-py", "opensearch") from error
        self._url, self._alias, self.index = url, name, ""
        login = (os.environ[USER], os.environ.get(PASSWORD, "")) if USER in os.environ else None
        self._client: Any = opensearchpy.OpenSearch(url, http_auth=login, timeout=TIMEOUT_S, max_retries=TRIES)

    def prepare(self, about: About) -> bool:
        """Create the index, unless the alias leads to it already."""
        self.index = f"{self._alias}-{about.name}".lower()
        with self._explained():
            holders = self._holders()
            if not holders and self._client.indices.exists(index=self._alias):
                raise StageError(
                    f"{self._url} has an index named {self._alias!r}, so no alias can be: choose another --name"
                )
            if holders == [self.index]:
                return False
            if not self._client.indices.exists(index=self.index):
                self._client.indices.create(index=self.index, body=index_of(about)["index.json"])
        return True

    def load(self, points: Iterable[Point]) -> None:
        """Index photos in bulk; what the cluster is too busy for is sent again, ever later, up to five times."""
        from opensearchpy.helpers import streaming_bulk

        sent = ({"_id": p.uuid, **p.payload, "embedding": p.vector.tolist()} for p in points)
        with self._explained():
            limits = {"chunk_size": BATCH, "max_retries": TRIES, "initial_backoff": PAUSE_S}
            # What raises at an error raises at a full queue too, before it is tried again.
            for taken, answer in streaming_bulk(self._client, sent, index=self.index, raise_on_error=False, **limits):
                if not taken:
                    raise StageError(self._refused(answer["index"].get("error")))

    def publish(self, photos: int) -> str:
        """Count the index's documents, and let the alias lead to it in one step."""
        with self._explained():
            self._client.indices.refresh(index=self.index)
            found = self._client.count(index=self.index)["count"]
            if found != photos:
                raise incomplete(f"index {self.index!r} of {self._url}", found, photos)
            gone = [{"remove": {"index": name, "alias": self._alias}} for name in self._holders()]
            there = {"add": {"index": self.index, "alias": self._alias}}
            self._client.indices.update_aliases(body={"actions": [*gone, there]})
        return self.index

    def _holders(self) -> list[str]:
        """Return the indexes that the alias leads to."""
        if not self._client.indices.exists_alias(name=self._alias):
            return []
        return sorted(self._client.indices.get_alias(name=self._alias))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from opensearchpy.exceptions import OpenSearchException

        try:
            yield
        except OpenSearchException as error:
            raise StageError(self._refused(error)) from error

    def _refused(self, why: object) -> str:
        return (
            f"OpenSearch at {self._url} did not take the release ({' '.join(str(why).split())[:300]}); check --url, "
            f"{USER} and {PASSWORD}, and run the command again: it replaces what is there"
        )
