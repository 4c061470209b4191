"""Two releases side by side: one that is kept and not live, loaded for those who compare it."""

import asyncio
import threading

import httpx
import pytest

from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE
from serving.release.loaded import LoadedRelease
from tests.serving.client import Client, alone, ids, problem
from tests.serving.shop import ServedShop


async def compared(client: Client, photo: bytes, release_id: str) -> httpx.Response:
    """Ask a release until it is loaded."""
    async with asyncio.timeout(60):
        while True:
            answer = await client.http.post(f"/v1/search?k=1&release={release_id}", content=photo)
            if answer.status_code == 200 or answer.json()["code"] != "release_loading":
                return answer
            assert int(answer.headers["retry-after"]) >= 1


def test_a_release_that_is_not_live_answers_beside_the_one_that_is(own_shop: ServedShop) -> None:
    async def ask(client: Client) -> None:
        other = await compared(client, own_shop.photo(15), "second")
        assert (other.json()["release_id"], other.headers["x-release-id"], ids(other.json())) == (
            "second", "second", ["j15"]
        )  # fmt: skip
        assert (await client.search(own_shop.photo(3), k=1))["release_id"] == "first"
        assert ids(await client.search(own_shop.photo(3), k=1, release="first")) == ["i3"]
        similar = (await client.http.get("/v1/items/j15/similar?k=3&release=second")).json()
        assert (similar["release_id"], ids(similar)[0][0]) == ("second", "j")
        both = {"files": {"image": own_shop.photo(3)}, "data": {"release": "second"}}
        assert (await client.http.post("/v1/search", **both)).json()["release_id"] == "second"
        # A photo of the other release alone is to be had while it is compared.
        picture = await client.http.get(f"/v1/thumbnails/{own_shop.digest(15).hex()}")
        assert (picture.status_code, picture.headers["x-release-id"]) == (200, "second")
        assert await client.metric("releases_in_memory") == 2
        assert await client.metric("release_swaps_total") == 1
        assert (await client.http.get("/readyz")).json()["release_id"] == "first"

    alone(own_shop, ask)


def test_it_finds_nothing_that_is_hidden(own_shop: ServedShop) -> None:
    async def ask(client: Client) -> None:
        assert ids((await compared(client, own_shop.photo(15), "second")).json()) == ["j15"]
        change(own_shop.store, HIDE, ["j15"], "sold")
        async with asyncio.timeout(60):
            while ids((await compared(client, own_shop.photo(15), "second")).json()) == ["j15"]:
                await asyncio.sleep(0.01)

    alone(own_shop, ask)


def test_it_is_closed_once_nobody_asks_it(own_shop: ServedShop) -> None:
    async def ask(client: Client) -> None:
        assert (await compared(client, own_shop.photo(15), "second")).status_code == 200
        async with asyncio.timeout(60):
            while await client.metric("releases_in_memory") != 1:
                await asyncio.sleep(0.01)
        problem(await client.http.get(f"/v1/thumbnails/{own_shop.digest(15).hex()}"), 404, "no_thumbnail")
        assert (await compared(client, own_shop.photo(15), "second")).status_code == 200

    alone(own_shop, ask, compare_idle_s=0.1)


def test_while_it_loads_it_is_told_to_ask_again_and_the_live_one_answers(
    own_shop: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    monkeypatch.setattr("serving.release.beside.AT_ONCE_S", 0.01)
    own_shop.add_release("third", "second-index", "run-2")

    async def ask(client: Client) -> None:
        loader = client.service.shelf._loader
        load = loader.load
        monkeypatch.setattr(loader, "load", lambda release_id: (go_on.wait(20), load(release_id))[1])
        loading = await client.http.post("/v1/search?release=second", content=own_shop.photo(3))
        assert problem(loading, 503, "release_loading")
        assert loading.headers["retry-after"] == "1"
        other = await client.http.post("/v1/search?release=third", content=own_shop.photo(3))
        assert "second is being loaded" in problem(other, 429, "release_busy")["detail"]
        assert ids(await client.search(own_shop.photo(3), k=1)) == ["i3"]
        go_on.set()
        assert (await compared(client, own_shop.photo(3), "second")).status_code == 200

    alone(own_shop, ask)


def test_another_takes_its_place_once_it_is_not_asked_for_a_moment(
    own_shop: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_shop.add_release("third", "second-index", "run-2")

    async def ask(client: Client) -> None:
        assert (await compared(client, own_shop.photo(3), "second")).status_code == 200
        busy = await compared(client, own_shop.photo(3), "third")
        assert "second is being compared" in problem(busy, 429, "release_busy")["detail"]
        assert 1 <= int(busy.headers["retry-after"]) <= 10
        monkeypatch.setattr("serving.release.beside.HELD_S", 0.0)
        assert (await compared(client, own_shop.photo(3), "third")).json()["release_id"] == "third"
        assert await client.metric("releases_in_memory") == 2

    alone(own_shop, ask)


def test_it_gives_way_to_a_release_that_goes_live(own_shop: ServedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    own_shop.add_release("third", "second-index", "run-2")

    async def ask(client: Client) -> None:
        assert (await compared(client, own_shop.photo(3), "second")).status_code == 200
        loader, in_memory = client.service.shelf._loader, []
        load = loader.load

        def counted(release_id: str) -> LoadedRelease:
            in_memory.append(client.service.shelf.num_releases)
            return load(release_id)

        monkeypatch.setattr(loader, "load", counted)
        own_shop.go_live("third")
        await client.ready("third")
        assert in_memory == [2]
        own_shop.go_live("second")
        await client.ready("second")
        assert (await client.search(own_shop.photo(3), k=1, release="second"))["release_id"] == "second"

    alone(own_shop, ask)


def test_an_item_of_a_release_that_is_kept(own_shop: ServedShop) -> None:
    async def ask(client: Client) -> None:
        for release_id, item_id in (("second", "j15"), ("first", "i5")):
            answer = (await client.http.get(f"/v1/items/{item_id}", params={"release": release_id})).json()
            assert (answer["release_id"], answer["item_id"]) == (release_id, item_id)
        problem(await client.http.get("/v1/items/i5?release=second"), 404, "unknown_item")

    alone(own_shop, ask)


def test_what_cannot_be_compared_is_told(own_shop: ServedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(client: Client) -> None:
        photo = own_shop.photo(3)
        assert "nope" in problem(await compared(client, photo, "nope"), 404, "unknown_release")["detail"]
        for wrong in ("..", "a/b", "", "x" * 101):
            answer = await client.http.post("/v1/search", params={"release": wrong}, content=photo)
            problem(answer, 422, "bad_parameter")
        monkeypatch.setattr("serving.release.loading.available_bytes", lambda budget: 1000)
        refused = await compared(client, photo, "second")
        told = problem(refused, 503, "release_refused")
        assert (told["reason"], int(refused.headers["retry-after"]) >= 1) == ("memory", True)
        assert "release second needs about" in told["detail"]
        monkeypatch.undo()
        problem(await compared(client, photo, "second"), 503, "release_refused")  # remembered for a while
        monkeypatch.setattr("serving.release.beside.FAILED_S", 0.0)
        client.service.beside._failed = None
        (own_shop.root / "store/indexes/second-index/vectors.npy").write_bytes(b"")
        assert problem(await compared(client, photo, "second"), 503, "release_refused")["reason"] == "damaged"
        assert (await client.search(photo, k=1))["release_id"] == "first"
        assert await client.metric("releases_in_memory") == 1

    alone(own_shop, ask)


def test_the_history_marks_what_can_be_compared(own_shop: ServedShop) -> None:
    own_shop.add_release("third", "second-index", "run-2")
    for release_id in ("second", "third", "first"):
        own_shop.go_live(release_id)
    own_shop.store.delete("releases/third/manifest.json")

    async def ask(client: Client) -> None:
        async def marked() -> dict[str, bool]:
            entries = (await client.http.get("/v1/release/history")).json()["entries"]
            return {each["release_id"]: each["comparable"] for each in entries}

        assert await marked() == {"first": True, "second": True, "third": False}
        for entry in [*own_shop.store.list("indexes/second-index")]:
            own_shop.store.delete(entry.name)
        assert await marked() == {"first": True, "second": False, "third": False}

    alone(own_shop, ask)
