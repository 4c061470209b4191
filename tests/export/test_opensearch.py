"""Sending to OpenSearch without one: what a busy or refusing cluster is told, and what the shop is."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pipelines.errors import StageError
from pipelines.export import opensearch
from pipelines.export.command import send_to_server
from pipelines.telemetry.progress import Progress
from tests.export.world import World
from tests.servers import serving

QUIET = Progress(quiet=True)


class Cluster(ThreadingHTTPServer):
    """Has no index yet; every document is refused `statuses` in turn, then taken."""

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses, self.taken, self.logins = list(statuses), set[str](), set[str]()
        self.aliases: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Cluster

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.logins.add(self.headers.get("Authorization", ""))
        path = self.path.partition("?")[0]
        if self.command == "HEAD":
            self._send(404, {})
        elif path.endswith("/_bulk"):
            self._send(200, self._bulk(body))
        elif path.endswith("/_count"):
            self._send(200, {"count": len(self.server.taken)})
        else:
            if path == "/_aliases":
                self.server.aliases += json.loads(body)["actions"]
            self._send(200, {"acknowledged": True})

    do_GET = do_PUT = do_POST = do_HEAD = _answer  # noqa: N815 - the server's names

    def _bulk(self, body: bytes) -> dict[str, Any]:
        ids = [json.loads(line)["index"]["_id"] for line in body.splitlines()[::2]]
        status = self.server.statuses.pop(0) if self.server.statuses else 201
        if status == 201:
            self.server.taken |= set(ids)
        error = {} if status == 201 else {"error": {"type": "es_rejected_execution_exception", "reason": "full"}}
        items = [{"index": {"_id": one, "status": status, **error}} for one in ids]
        return {"took": 1, "errors": status != 201, "items": items}

    def _send(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def test_a_full_queue_is_asked_again_and_nothing_is_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opensearch, "PAUSE_S", 0.01)
    monkeypatch.setenv("OPENSEARCH_USERNAME", "shop")
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "secret")
    cluster = Cluster(429, 429)
    with serving(cluster) as url:
        summary = send_to_server(world.store, None, "opensearch", url, "products", QUIET)
    assert len(cluster.taken) == summary["counts"]["vectors"] == 61
    assert cluster.aliases == [{"add": {"index": summary["held_by"], "alias": "products"}}]
    assert cluster.logins == {"Basic c2hvcDpzZWNyZXQ="}


def test_a_document_that_is_refused_ends_it_before_anybody_sees_it(world: World) -> None:
    cluster = Cluster(400)
    with serving(cluster) as url, pytest.raises(StageError, match=r"did not take the release .*full.*; check --url"):
        send_to_server(world.store, None, "opensearch", url, "products", QUIET)
    assert cluster.aliases == []


def test_what_is_missing_in_the_end_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster()
    monkeypatch.setattr(Cluster, "taken", property(lambda _: set(), lambda *_: None), raising=False)
    with serving(cluster) as url, pytest.raises(StageError, match="holds 0 photos, 61 were sent; readers still see"):
        send_to_server(world.store, None, "opensearch", url, "products", QUIET)


def test_a_client_that_is_not_there_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opensearchpy", None)
    with pytest.raises(StageError, match="sending needs opensearch-py: pip install 'opensearch-py'"):
        send_to_server(world.store, None, "opensearch", "http://127.0.0.1:1", "products", QUIET)


def test_no_cluster_at_all(world: World) -> None:
    with serving(Cluster()) as url:
        pass
    with pytest.raises(StageError, match=r"did not take the release .*refused"):
        send_to_server(world.store, None, "opensearch", url, "products", QUIET)
