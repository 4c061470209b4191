"""A release in Qdrant: its own engine finds what our exact index finds, and readers see whole releases alone."""

import json
import sys
from pathlib import Path

import pytest
import qdrant_edge as edge
from qdrant_client.http import models

from pipelines.errors import StageError
from pipelines.export import qdrant
from pipelines.export.command import export_to_folder, send_to_server
from pipelines.telemetry.progress import Progress
from tests.export.qdrant_server import Qdrant
from tests.export.world import RELEASE, World, normalised, same_top
from tests.servers import serving

QUIET = Progress(quiet=True)
COLLECTION = f"products-{RELEASE}"


@pytest.fixture
def server(tmp_path: Path) -> Qdrant:
    (tmp_path / "qdrant").mkdir()
    return Qdrant(tmp_path / "qdrant")


def keyword(key: str, value: str) -> edge.FieldCondition:
    return edge.FieldCondition(key, match=edge.MatchValue(value))


def test_the_engine_finds_what_the_exact_index_finds(world: World, server: Qdrant) -> None:
    with serving(server) as url:
        summary = send_to_server(world.store, None, "qdrant", url, "products", QUIET)
    assert summary["counts"] == {"items": 60, "items_without_vectors": 1, "vectors": 61}
    assert summary["held_by"] == COLLECTION
    assert server.aliases == {"products": COLLECTION}
    equal = 0
    for number in range(59):
        vector = normalised(world.gallery.vectors[number])
        found = server.search("products", vector.tolist(), 10)
        assert same_top(world, vector, found), number
        equal += found == world.exact_top(vector, 10)
    assert equal >= 55


def test_filters_of_the_engine_find_what_filters_of_the_exact_index_would(world: World, server: Qdrant) -> None:
    with serving(server) as url:
        send_to_server(world.store, None, "qdrant", url, "products", QUIET)
    vector = normalised(world.gallery.vectors[7])
    everything = world.exact_top(vector, 100)
    leaf = [pair for pair in everything if world.gallery.category(pair[0]) == ["all", "leaf 3"]]
    assert server.search("products", vector.tolist(), 100, [keyword("category", "all > leaf 3")]) == leaf
    assert server.search("products", vector.tolist(), 100, [keyword("category", "all")]) == everything
    cheap = [pair for pair in everything if pair[0] < "item-010"]
    at_most = edge.FieldCondition("price", range=edge.RangeFloat(lt=10.0))
    assert server.search("products", vector.tolist(), 100, [at_most]) == cheap
    red = [keyword("attributes.colour", "red")]
    assert server.search("products", vector.tolist(), 100, red) == everything
    assert {item for item, _ in server.search("products", vector.tolist(), 9, [keyword("group_id", "pair")])} == {
        "item-003",
        "item-004",
    }


def test_a_release_that_is_there_is_not_sent_again_and_the_next_takes_its_name(world: World, server: Qdrant) -> None:
    with serving(server) as url:
        send_to_server(world.store, None, "qdrant", url, "products", QUIET)
        sent = server.upserts
        again = send_to_server(world.store, RELEASE, "qdrant", url, "products", QUIET)
        assert (again, server.upserts) == (
            {"format": "qdrant", "release_id": RELEASE, "uri": url, "name": "products"},
            sent,
        )
        server.aliases["products"] = "products-of-yesterday"
        send_to_server(world.store, None, "qdrant", url, "products", QUIET)
    assert server.aliases == {"products": COLLECTION}


def test_one_that_was_stopped_half_way_is_seen_by_nobody_and_finished_by_the_next(
    world: World, server: Qdrant, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.aliases["products"] = "products-of-yesterday"
    load, calls = qdrant.QdrantTarget.load, iter(range(9))

    def stops(self: qdrant.QdrantTarget, points: object) -> None:
        if next(calls) == 2:
            raise KeyboardInterrupt
        load(self, points)  # type: ignore[arg-type]

    with serving(server) as url:
        with monkeypatch.context() as patch:
            patch.setattr(qdrant.QdrantTarget, "load", stops)
            with pytest.raises(KeyboardInterrupt):
                send_to_server(world.store, None, "qdrant", url, "products", QUIET)
        assert 0 < server.shards[COLLECTION].count(edge.CountRequest()) < 61
        assert server.aliases == {"products": "products-of-yesterday"}
        send_to_server(world.store, None, "qdrant", url, "products", QUIET)
    assert server.shards[COLLECTION].count(edge.CountRequest()) == 61
    assert server.aliases == {"products": COLLECTION}


def test_a_busy_server_is_asked_again(world: World, server: Qdrant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_API_KEY", "a-key")
    monkeypatch.setattr(qdrant, "PAUSE_S", 0.01)
    server.busy = 2
    with serving(server) as url:
        send_to_server(world.store, None, "qdrant", url, "products", QUIET)
    assert server.shards[COLLECTION].count(edge.CountRequest()) == 61
    assert server.keys == {"a-key"}


def test_what_the_server_lacks_is_not_published(world: World, server: Qdrant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Qdrant, "upsert", lambda *_: {"operation_id": 1, "status": "completed"})
    with serving(server) as url, pytest.raises(StageError, match=r"holds 0 photos, 61 were sent; readers still see"):
        send_to_server(world.store, None, "qdrant", url, "products", QUIET)
    assert server.aliases == {}


def test_errors_name_the_server_and_the_fix(world: World, server: Qdrant, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(server) as url:
        server.create("taken", b'{"vectors": {"size": 2, "distance": "Cosine"}}')
        with pytest.raises(StageError, match=r"has a collection named 'taken', so no alias can be: choose another"):
            send_to_server(world.store, None, "qdrant", url, "taken", QUIET)
        with pytest.raises(StageError, match=r"did not take the release .*404.*; check --url and QDRANT_API_KEY"):
            send_to_server(world.store, None, "qdrant", f"{url}/elsewhere", "products", QUIET)
    with pytest.raises(StageError, match=r"did not take the release .*refused.*; check --url"):
        send_to_server(world.store, None, "qdrant", url, "products", QUIET)
    monkeypatch.setitem(sys.modules, "qdrant_client", None)
    with pytest.raises(StageError, match="sending needs qdrant-client: pip install 'qdrant-client'"):
        send_to_server(world.store, None, "qdrant", url, "products", QUIET)


def test_the_files_are_bodies_that_qdrant_describes_and_its_engine_takes(
    world: World, server: Qdrant, tmp_path: Path
) -> None:
    export_to_folder(world.store, None, "qdrant", str(tmp_path / "out"), QUIET)
    out = tmp_path / "out"
    with server:
        server.create("files", (out / "collection.json").read_bytes())
        for field in json.loads((out / "payload_indexes.json").read_bytes()):
            server.index("files", json.dumps(field).encode())
        for path in sorted((out / "points").iterdir()):
            server.upsert("files", path.read_bytes())
        assert server.count("files", models.CountRequest(exact=True).model_dump_json().encode()) == {"count": 61}
        vector = normalised(world.gallery.vectors[30])
        assert server.search("files", vector.tolist(), 10) == world.exact_top(vector, 10)
