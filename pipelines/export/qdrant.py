"""Qdrant: the bodies of its REST requests as files, and a collection a release behind an alias.

Source of the formats: Qdrant's OpenAPI description, by which its own client is made.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import batched
from typing import Any, Final

import pyarrow as pa

from pipelines.errors import StageError
from pipelines.export.loader import Loader, incomplete, lacking
from pipelines.export.points import Point, as_json, points_of
from pipelines.export.schemas import About
from pipelines.store.retries import retried

KEY: Final = "QDRANT_API_KEY"
BATCH: Final = 256
"""Photos a request: some 1.5 MB of 512 numbers each; Qdrant takes 32 MB."""
TRIES, PAUSE_S = 6, 1.0
"""How often a request is sent, and how long to wait at first."""
TOO_MANY, SERVER_ERROR = 429, 500
TIMEOUT_S: Final = 60


def collection_of(about: About, _: str = "") -> Mapping[str, Any]:
    """Return the body that creates the collection, and those that index what is filtered by."""
    keywords = ["item_id", "group_id", "category", *(f"attributes.{name}" for name in about.attributes)]
    indexed = [{"field_name": name, "field_schema": "keyword"} for name in keywords]
    return {
        "collection.json": {"vectors": {"size": about.dim, "distance": "Cosine"}},
        "payload_indexes.json": [*indexed, {"field_name": "price", "field_schema": "float"}],
    }


def point_json(point: Point) -> dict[str, Any]:
    """Return a PointStruct."""
    return {"id": point.uuid, "vector": point.vector, "payload": point.payload}


def encode(table: pa.Table) -> bytes:
    """Return the body of an upsert."""
    return as_json({"points": [point_json(point) for point in points_of(table)]})


LOADER: Final = Loader("qdrant", 1, "points", ".json", 2_000, encode, collection_of)


class QdrantTarget:
    """A server of Qdrant. The collection is `<name>-<release>`; the alias `<name>` is what readers ask."""

    def __init__(self, url: str, name: str) -> None:
        try:
            import qdrant_client
        except ImportError as error:
            raise lacking("qdrant-client", "qdrant") from error
        self._url, self._alias, self.collection = url, name, ""
        # Asking the server's version would fail late and warn early; the requests are those of every version since 1.0.
        self._client: Any = qdrant_client.QdrantClient(
            url=url, api_key=os.environ.get(KEY), timeout=TIMEOUT_S, check_compatibility=False
        )

    def prepare(self, about: About) -> bool:
        """Create the collection and its indexes, unless the alias leads to it already."""
        from qdrant_client import models

        self.collection = f"{self._alias}-{about.name}"
        with self._explained():
            names = {one.name for one in self._client.get_collections().collections}
            if self._alias in names:
                raise StageError(
                    f"{self._url} has a collection named {self._alias!r}, so no alias can be: choose another --name"
                )
            if self._holder() == self.collection:
                return False
            bodies = collection_of(about)
            if self.collection not in names:
                config = models.VectorParams(**bodies["collection.json"]["vectors"])
                self._client.create_collection(self.collection, vectors_config=config)
            for field in bodies["payload_indexes.json"]:
                self._client.create_payload_index(self.collection, **field, wait=True)
        return True

    def load(self, points: Iterable[Point]) -> None:
        """Upsert photos in batches, each again, ever later, where the server is busy or does not answer."""
        from qdrant_client import models

        with self._explained():
            for batch in batched(points, BATCH):
                structs = [models.PointStruct(**point_json(p) | {"vector": p.vector.tolist()}) for p in batch]
                upsert = partial(self._client.upsert, self.collection, structs, wait=True)
                retried(upsert, _may_pass, times=TRIES, pause_s=PAUSE_S)

    def publish(self, photos: int) -> str:
        """Count the collection's points exactly, and let the alias lead to it in one step."""
        from qdrant_client import models

        with self._explained():
            found = self._client.count(self.collection, exact=True).count
            if found != photos:
                raise incomplete(f"collection {self.collection!r} of {self._url}", found, photos)
            steps: list[Any] = []
            if self._holder():
                steps.append(models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self._alias)))
            alias = models.CreateAlias(collection_name=self.collection, alias_name=self._alias)
            steps.append(models.CreateAliasOperation(create_alias=alias))
            self._client.update_collection_aliases(steps)
        return self.collection

    def _holder(self) -> str:
        """Return the collection that the alias leads to, or ''."""
        aliases = self._client.get_aliases().aliases
        return next((str(one.collection_name) for one in aliases if one.alias_name == self._alias), "")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from qdrant_client.common.client_exceptions import QdrantException
        from qdrant_client.http.exceptions import ApiException

        try:
            yield
        except (ApiException, QdrantException) as error:
            raise StageError(
                f"Qdrant at {self._url} did not take the release ({' '.join(str(error).split())[:300]}); check --url "
                f"and {KEY}, and run the command again: it replaces what is there"
            ) from error


def _may_pass(error: Exception) -> bool:
    """Tell whether the same request may succeed later: too many at once, a server that starts, no connection."""
    from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
    from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

    if isinstance(error, UnexpectedResponse):
        return error.status_code == TOO_MANY or (error.status_code or 0) >= SERVER_ERROR
    return isinstance(error, ResponseHandlingException | ResourceExhaustedResponse)
