"""Qdrant's own engine, in this process, behind the REST requests that the export sends."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import qdrant_edge as edge
from qdrant_client.http import models

from tests.export.world import tied

SCHEMAS = {"keyword": edge.PayloadSchemaType.Keyword, "float": edge.PayloadSchemaType.Float}
DISTANCES = {"Cosine": edge.Distance.Cosine}


class Qdrant(ThreadingHTTPServer):
    """Collections, each a shard of the engine in a folder, and aliases; bodies are checked by Qdrant's description.

    `busy` many requests for points are answered that the server is busy, before any is taken.
    """

    def __init__(self, folder: Path, busy: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.busy, self.keys = folder, busy, set[str]()
        self.shards: dict[str, Any] = {}
        self.aliases: dict[str, str] = {}
        self.upserts = 0

    def create(self, name: str, body: bytes) -> bool:
        vectors = models.CreateCollection.model_validate_json(body).vectors
        assert isinstance(vectors, models.VectorParams)
        params = edge.EdgeVectorParams(size=vectors.size, distance=DISTANCES[vectors.distance.value])
        (self.folder / name).mkdir()
        self.shards[name] = edge.EdgeShard.create(str(self.folder / name), edge.EdgeConfig(vectors=params))
        return True

    def index(self, name: str, body: bytes) -> dict[str, Any]:
        field = models.CreateFieldIndex.model_validate_json(body)
        schema = SCHEMAS[str(json.loads(body)["field_schema"])]
        return self.update(name, edge.UpdateOperation.create_field_index(field.field_name, schema))

    def upsert(self, name: str, body: bytes) -> dict[str, Any]:
        self.upserts += 1
        points = models.PointsList.model_validate_json(body).points
        made = [edge.Point(str(one.id), list(one.vector), one.payload) for one in points]  # type: ignore[arg-type]
        return self.update(name, edge.UpdateOperation.upsert_points(made))

    def update(self, name: str, operation: Any) -> dict[str, Any]:
        self.shards[name].update(operation)
        return {"operation_id": 1, "status": "completed"}

    def count(self, name: str, body: bytes) -> dict[str, int]:
        assert models.CountRequest.model_validate_json(body).exact
        return {"count": self.shards[name].count(edge.CountRequest(exact=True))}

    def switch(self, body: bytes) -> bool:
        for action in models.ChangeAliasesOperation.model_validate_json(body).actions:
            if isinstance(action, models.DeleteAliasOperation):
                del self.aliases[action.delete_alias.alias_name]
            elif isinstance(action, models.CreateAliasOperation):
                assert action.create_alias.alias_name not in self.aliases
                self.aliases[action.create_alias.alias_name] = action.create_alias.collection_name
        return True

    def search(self, name: str, vector: list[float], k: int, must: list[Any] | None = None) -> list[tuple[str, str]]:
        """Return the item and photo of the best `k`, exactly, by the engine; of equals by item."""
        request = edge.SearchRequest(
            edge.Query.Nearest(vector),
            k + 1,
            filter=edge.Filter(must=must) if must else None,
            params=edge.SearchParams(exact=True),
            with_payload=True,
        )
        found = self.shards[self.aliases.get(name, name)].search(request)
        return tied(((point.payload["item_id"], point.payload["photo"]) for point in found), k)


class _Handler(BaseHTTPRequestHandler):
    server: Qdrant

    def log_message(self, *_: Any) -> None:
        pass

    def _routes(self, body: bytes) -> list[tuple[str, str, Callable[..., Any]]]:
        server = self.server
        return [
            ("GET", "/collections", lambda: {"collections": [{"name": name} for name in server.shards]}),
            (
                "GET",
                "/aliases",
                lambda: {"aliases": [{"alias_name": a, "collection_name": c} for a, c in server.aliases.items()]},
            ),
            ("POST", "/collections/aliases", lambda: server.switch(body)),
            ("PUT", "/collections/([^/]+)", lambda name: server.create(name, body)),
            ("PUT", "/collections/([^/]+)/index", lambda name: server.index(name, body)),
            ("PUT", "/collections/([^/]+)/points", lambda name: server.upsert(name, body)),
            ("POST", "/collections/([^/]+)/points/count", lambda name: server.count(name, body)),
        ]

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.keys.add(self.headers.get("api-key", ""))
        path = self.path.partition("?")[0]
        if path.endswith("/points") and self.server.busy:
            self.server.busy -= 1
            self._send(503, {"status": {"error": "busy"}})
            return
        for method, pattern, call in self._routes(body):
            if method == self.command and (found := re.fullmatch(pattern, path)):
                self._send(200, {"result": call(*found.groups()), "status": "ok", "time": 0.0})
                return
        self._send(404, {"status": {"error": f"no route for {self.command} {path}"}})

    do_GET = do_PUT = do_POST = _answer  # noqa: N815 - the server's names

    def _send(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
