"""A release in a real OpenSearch: it finds what our exact index finds, filters, and names switch whole."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from pipelines.errors import StageError
from pipelines.export import opensearch
from pipelines.export.command import export_to_folder, send_to_server
from pipelines.telemetry.progress import Progress
from tests.export.node import node
from tests.export.world import RELEASE, World, normalised, same_top, tied

pytestmark = [pytest.mark.opensearch, pytest.mark.slow]
QUIET = Progress(quiet=True)
INDEX = f"products-{RELEASE}".lower()
JSON, LINES = {"Content-Type": "application/json"}, {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with node(tmp_path_factory.mktemp("node")) as url:
        yield url


@pytest.fixture
def sent(world: World, url: str) -> dict[str, Any]:
    return send_to_server(world.store, None, "opensearch", url, "products", QUIET)


def search(url: str, name: str, vector: np.ndarray, k: int, term: dict[str, Any] | None = None) -> Any:
    knn = {"vector": vector.tolist(), "k": k + 1, **({"filter": term} if term else {})}
    body = {"size": k + 1, "query": {"knn": {"embedding": knn}}, "_source": {"excludes": ["embedding"]}}
    answer = requests.post(f"{url}/{name}/_search", json=body, timeout=30)
    assert answer.ok, answer.text
    hits = [hit["_source"] for hit in answer.json()["hits"]["hits"]]
    return tied(((hit["item_id"], hit["photo"]) for hit in hits), k)


def test_the_engine_finds_what_the_exact_index_finds(world: World, url: str, sent: dict[str, Any]) -> None:
    for number in range(59):
        vector = normalised(world.gallery.vectors[number])
        assert same_top(world, vector, search(url, "products", vector, 10)), number


def test_filters_find_what_filters_of_the_exact_index_would(world: World, url: str, sent: dict[str, Any]) -> None:
    vector = normalised(world.gallery.vectors[7])
    everything = world.exact_top(vector, 61)
    leaf = [pair for pair in everything if world.gallery.category(pair[0]) == ["all", "leaf 3"]]
    assert search(url, "products", vector, len(leaf), {"term": {"category": "all > leaf 3"}}) == leaf
    cheap = [pair for pair in everything if pair[0] < "item-010"]
    assert search(url, "products", vector, 60, {"range": {"price": {"lt": 10}}}) == cheap
    assert len(search(url, "products", vector, 61, {"term": {"attributes.colour": "red"}})) == 61
    assert search(url, "products", vector, 61, {"term": {"attributes.colour": "blue"}}) == []
    pair = {item for item, _ in search(url, "products", vector, 9, {"term": {"group_id": "pair"}})}
    assert pair == {"item-003", "item-004"}


def test_the_name_means_the_release_once_it_is_whole(world: World, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    load, calls = opensearch.OpenSearchTarget.load, iter(range(9))

    def stops(self: opensearch.OpenSearchTarget, points: object) -> None:
        if next(calls) == 2:
            raise KeyboardInterrupt
        load(self, points)  # type: ignore[arg-type]

    requests.put(f"{url}/shoes-before", json={"aliases": {"shoes": {}}}, timeout=30)
    with monkeypatch.context() as patch:
        patch.setattr(opensearch.OpenSearchTarget, "load", stops)
        with pytest.raises(KeyboardInterrupt):
            send_to_server(world.store, None, "opensearch", url, "shoes", QUIET)
    assert list(requests.get(f"{url}/_alias/shoes", timeout=30).json()) == ["shoes-before"]
    summary = send_to_server(world.store, None, "opensearch", url, "shoes", QUIET)
    assert summary["counts"] == {"items": 60, "items_without_vectors": 1, "vectors": 61}
    assert list(requests.get(f"{url}/_alias/shoes", timeout=30).json()) == [summary["held_by"]]
    assert "held_by" not in send_to_server(world.store, None, "opensearch", url, "shoes", QUIET)


def test_a_name_that_is_an_index_is_refused(world: World, url: str) -> None:
    requests.put(f"{url}/taken", timeout=30)
    with pytest.raises(StageError, match=r"has an index named 'taken', so no alias can be: choose another --name"):
        send_to_server(world.store, None, "opensearch", url, "taken", QUIET)
    with pytest.raises(StageError, match=r"did not take the release .*invalid_index_name"):
        send_to_server(world.store, None, "opensearch", url, "a b", QUIET)


def test_the_files_are_what_its_own_api_loads(world: World, url: str, tmp_path: Path) -> None:
    export_to_folder(world.store, None, "opensearch", str(tmp_path / "out"), QUIET)
    out = tmp_path / "out"
    made = requests.put(f"{url}/files", data=(out / "index.json").read_bytes(), headers=JSON, timeout=30)
    assert made.ok, made.text
    for path in sorted((out / "points").iterdir()):
        done = requests.post(f"{url}/files/_bulk?refresh=true", data=path.read_bytes(), headers=LINES, timeout=30)
        assert done.ok, done.text
        assert not done.json()["errors"], json.dumps(done.json())[:500]
    vector = normalised(world.gallery.vectors[30])
    assert same_top(world, vector, search(url, "files", vector, 10))
