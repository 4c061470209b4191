"""Which release answers: promotions and rollbacks are followed, and what cannot be loaded changes nothing."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE, UNHIDE
from pipelines.store import Log, Store
from serving.model.process import ModelProcess
from serving.release.loaded import LoadedRelease
from tests.embed.world import export_tiny
from tests.serving.client import Client, alone, ids, problem, serving
from tests.serving.shop import HEIGHT, WIDTH, ServedShop


def test_a_promotion_and_a_rollback_are_followed(own_shop: ServedShop) -> None:
    async def ask(client: Client) -> None:
        assert ids(await client.search(own_shop.photo(3), k=1)) == ["i3"]
        own_shop.go_live("second")
        told = await client.ready("second")
        assert (told["number"], "live" in told) == (2, False)
        answer = await client.search(own_shop.photo(15), k=1)
        assert (answer["release_id"], ids(answer)) == ("second", ["j15"])
        own_shop.go_live("first", "rollback")
        await client.ready("first")
        assert ids(await client.search(own_shop.photo(3), k=1)) == ["i3"]
        entries = (await client.http.get("/v1/release/history")).json()["entries"]
        assert [(each["number"], each["release_id"], each["action"]) for each in entries] == [
            (3, "first", "rollback"), (2, "second", "promote"), (1, "first", "promote")
        ]  # fmt: skip
        assert len((await client.http.get("/v1/release/history?limit=1")).json()["entries"]) == 1
        assert await client.metric("release_swaps_total") == 3
        assert await client.metric("live_log_number") == 3
        assert await client.metric("releases_in_memory") == 1

    alone(own_shop, ask)


def test_a_model_is_in_memory_once_whatever_the_releases_that_have_it(
    own_shop: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, closed = [], []

    class Counted(ModelProcess):
        def __init__(self, folder: Path, name: str, first: Sequence[bytes]) -> None:
            loaded.append(folder.parent.name)
            super().__init__(folder, name, first)

        def close(self) -> None:
            closed.append(loaded[0])
            super().close()

    monkeypatch.setattr("serving.release.models.ModelProcess", Counted)
    own_shop.add_model(own_shop.root / "store/models/m1/saved_model", "m2", space_id="m1")
    own_shop.add_release("third", "second-index", "run-2", "m2")

    async def ask(client: Client) -> None:
        for release_id, number in (("second", 15), ("first", 3), ("third", 15)):
            own_shop.go_live(release_id)
            await client.ready(release_id)
            assert ids(await client.search(own_shop.photo(number), k=1))[0][1:] == str(number)
            assert loaded == (["m1", "m2"] if release_id == "third" else ["m1"])
        async with asyncio.timeout(60):
            while not closed:
                await asyncio.sleep(0.01)
        assert closed == ["m1"]

    alone(own_shop, ask)


def test_queries_in_flight_end_on_the_old_release_which_is_closed_after_the_last(
    own_shop: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, closed = threading.Event(), []

    async def ask(client: Client) -> None:
        old = client.service.follower.current
        assert isinstance(old, LoadedRelease)
        outputs, close = old.engine.outputs, old.engine.close
        monkeypatch.setattr(old.engine, "outputs", lambda jpegs: (go_on.wait(20), outputs(jpegs))[1])
        monkeypatch.setattr(old.engine, "close", lambda: (closed.append("first"), close()))
        slow = asyncio.create_task(client.search(own_shop.photo(4), k=1))
        while not old.uses:
            await asyncio.sleep(0.01)
        own_shop.go_live("second")
        await client.ready("second")
        assert (closed, await client.metric("releases_in_memory")) == ([], 2)
        new = asyncio.create_task(client.search(own_shop.photo(15), k=1))
        await asyncio.sleep(0.05)
        go_on.set()
        answer = await slow
        assert (answer["release_id"], ids(answer)) == ("first", ["i4"])
        answer = await new
        assert (answer["release_id"], ids(answer)) == ("second", ["j15"])
        async with asyncio.timeout(60):
            while not closed:
                await asyncio.sleep(0.01)
        assert await client.metric("releases_in_memory") == 1

    alone(own_shop, ask)


def test_no_answer_mixes_releases_while_they_are_exchanged(own_shop: ServedShop) -> None:
    """The items of one release begin with i, those of the other with j."""

    async def ask(client: Client) -> None:
        seen: set[str] = set()
        over = False

        async def keep_asking(number: int) -> None:
            while not over:
                answer = await client.search(own_shop.photo(number), k=5)
                prefix = {"first": "i", "second": "j"}[answer["release_id"]]
                assert {item_id[0] for item_id in ids(answer)} == {prefix}
                assert ids(answer)[0] == f"{prefix}{number}"
                seen.add(answer["release_id"])

        asking = [asyncio.create_task(keep_asking(number)) for number in range(6)]
        for turn in range(4):
            release_id = ("second", "first")[turn % 2]
            own_shop.go_live(release_id)
            await client.ready(release_id)
        over = True
        await asyncio.gather(*asking)
        assert seen == {"first", "second"}

    alone(own_shop, ask)


def damage(shop: ServedShop, store: Store) -> str:
    path = shop.root / "store/indexes/second-index/vectors.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    return "vectors.npy has sha256"


def no_manifest(shop: ServedShop, store: Store) -> str:
    store.delete("releases/second/manifest.json")
    return "holds no release 'second'"


def other_space(shop: ServedShop, store: Store) -> str:
    replace_model(shop, space_id="m9")
    return "index second-index is of the space m1, model m9 of m9"


def other_size(shop: ServedShop, store: Store) -> str:
    replace_model(shop, space_id="m1", dim=8)
    return "the index holds vectors of 16 numbers and codes of 4 bytes, model m9 gives 8 and 4"


def other_preparation(shop: ServedShop, store: Store) -> str:
    replace_model(shop, space_id="m1", prep_id="24x16-q95-v1")
    return "prepared by version 1, this program prepares by version 2"


def other_weights(shop: ServedShop, store: Store) -> str:
    """The facts say that it belongs to the index; its vectors do not."""
    export_tiny(shop.root / "other", 7, HEIGHT, WIDTH)
    replace_model(shop, shop.root / "other", space_id="m1")
    return "gives photos of the catalogue vectors that are as far as a cosine of"


def no_model(shop: ServedShop, store: Store) -> str:
    (shop.root / "other").mkdir()
    (shop.root / "other/saved_model.pb").write_bytes(b"no graph")
    replace_model(shop, shop.root / "other", space_id="m1")
    return "saved_model.pb"


def replace_model(shop: ServedShop, exported: Path | None = None, **facts: object) -> None:
    shop.add_model(exported or shop.root / "store/models/m1/saved_model", "m9", **facts)
    shop.store.delete("releases/second/manifest.json")
    shop.add_release("second", "second-index", "run-2", "m9")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (damage, "damaged"),
        (no_manifest, "damaged"),
        (other_space, "unusable"),
        (other_size, "unusable"),
        (other_preparation, "unusable"),
        (other_weights, "untrue"),
        (no_model, "unusable"),
    ],
)
def test_a_release_that_cannot_be_loaded_changes_nothing_and_is_told(
    own_shop: ServedShop, spoil: object, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def ask(client: Client) -> None:
        detail = spoil(own_shop, own_shop.store)
        assert Log(own_shop.store, "live").append(2, {"release_id": "second", "action": "promote", "run_id": "run-2"})
        told = await client.told(reason=reason)
        assert told["status"] == "ready"
        assert (told["release_id"], told["live"]["release_id"], told["live"]["number"]) == ("first", "second", 2)
        assert detail in told["live"]["detail"]
        answer = await client.search(own_shop.photo(3), k=1)
        assert (answer["release_id"], ids(answer)) == ("first", ["i3"])
        assert (await client.http.get("/v1/release")).json()["live"]["reason"] == reason
        assert await client.metric(f'release_refused{{reason="{reason}"}}') == 1
        assert f"release second is live and cannot be loaded ({reason}: " in capsys.readouterr().err
        own_shop.go_live("first", "rollback")
        assert "live" not in await client._until(lambda told: "live" not in told)
        assert await client.metric(f'release_refused{{reason="{reason}"}}') is None

    alone(own_shop, ask)


def test_a_release_that_was_half_uploaded_is_loaded_once_it_is_whole(own_shop: ServedShop) -> None:
    async def ask(client: Client) -> None:
        path = own_shop.root / "store/indexes/second-index/manifest.json"
        whole = path.read_bytes()
        path.unlink()
        own_shop.go_live("second")
        assert "indexes/second-index/manifest.json" in (await client.told(reason="damaged"))["live"]["detail"]
        path.write_bytes(whole)
        await client.ready("second")

    alone(own_shop, ask)


def test_a_release_that_does_not_fit_is_not_tried(own_shop: ServedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(client: Client) -> None:
        monkeypatch.setattr("serving.release.loading.available_bytes", lambda budget: 1000)
        own_shop.go_live("second")
        told = await client.told(reason="memory")
        assert told["release_id"] == "first"
        assert "release second needs about" in told["live"]["detail"]
        assert "serving.memory_bytes" in told["live"]["detail"]

    alone(own_shop, ask)


def test_what_was_rolled_back_while_it_was_loaded_never_answers(
    own_shop: ServedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(client: Client) -> None:
        loader = client.service.shelf._loader
        load, loaded = loader.load, threading.Event()

        def slow(release_id: str) -> LoadedRelease:
            found = load(release_id)
            own_shop.go_live("first", "rollback")
            loaded.set()
            return found

        monkeypatch.setattr(loader, "load", slow)
        own_shop.go_live("second")
        assert await asyncio.to_thread(loaded.wait, 20)
        async with asyncio.timeout(60):
            while await client.metric("live_log_number") != 3:
                assert (await client.search(own_shop.photo(1), k=1))["release_id"] == "first"
        assert await client.metric("release_swaps_total") == 1

    alone(own_shop, ask)


def test_nothing_is_ready_before_something_is_live(own_shop: ServedShop) -> None:
    for path in (own_shop.root / "store/live").iterdir():
        path.unlink()

    async def main() -> None:
        async with serving(own_shop, ready=False) as client:
            answer = await client.http.get("/readyz")
            assert answer.status_code == 503
            assert answer.json() in ({"status": "loading"}, {"status": "nothing_live"})
            refused = await client.http.post("/v1/search", content=own_shop.photo(0))
            problem(refused, 503, "not_ready")
            assert int(refused.headers["retry-after"]) >= 1
            assert (await client.http.get("/healthz")).json() == {"status": "alive"}
            await client._until(lambda told: told["status"] == "nothing_live")
            refused = await client.http.post("/v1/search", content=own_shop.photo(0))
            assert "nothing was promoted yet" in problem(refused, 503, "not_ready")["detail"]
            own_shop.go_live("first")
            await client.ready("first")

    asyncio.run(main())


def test_who_starts_beside_a_damaged_release_loads_the_one_before_it(own_shop: ServedShop) -> None:
    own_shop.go_live("second")
    damage(own_shop, own_shop.store)

    async def ask(client: Client) -> None:
        told = await client.ready("first")
        assert told["live"]["reason"] == "damaged"
        assert ids(await client.search(own_shop.photo(2), k=1)) == ["i2"]

    alone(own_shop, ask)


def test_a_store_that_cannot_be_read_is_told_and_what_is_loaded_goes_on(own_shop: ServedShop) -> None:
    async def ask(client: Client) -> None:
        head = own_shop.root / "store/live/00000002.json"
        head.write_text("no json")
        told = await client._until(lambda told: "store" in told)
        assert (told["status"], told["release_id"]) == ("ready", "first")
        assert "is not valid JSON" in told["store"]
        assert (await client.metric("store_unreachable_seconds") or 0) > 0
        assert ids(await client.search(own_shop.photo(2), k=1)) == ["i2"]
        head.unlink()
        await client._until(lambda told: "store" not in told)
        own_shop.go_live("second")
        await client.ready("second")

    alone(own_shop, ask)


def test_what_is_hidden_is_found_and_shown_no_more_until_it_is_shown_again(own_shop: ServedShop) -> None:
    store = own_shop.store

    async def ask(client: Client) -> None:
        everything = ids(await client.search(own_shop.photo(3), k=12))
        change(store, HIDE, ["i3", "i5", "nowhere"], "sold")
        async with asyncio.timeout(60):
            while "i3" in ids(answer := await client.search(own_shop.photo(3), k=12)):
                await asyncio.sleep(0.01)
        assert ids(answer) == [item_id for item_id in everything if item_id not in {"i3", "i5"}]
        problem(await client.http.get("/v1/items/i3"), 404, "unknown_item")
        problem(await client.http.get("/v1/items/i3/similar"), 404, "unknown_item")
        problem(await client.http.get(f"/v1/thumbnails/{own_shop.digest(3).hex()}"), 404, "no_thumbnail")
        assert not {"i3", "i5"} & {*ids((await client.http.get("/v1/items/i4/similar?k=12")).json())}
        change(store, HIDE, ["j15"], "sold")
        async with asyncio.timeout(60):
            while await client.metric("hidden_items") != 4:
                await asyncio.sleep(0.01)
        own_shop.go_live("second")
        await client.ready("second")
        assert "j15" not in ids(await client.search(own_shop.photo(15), k=16))
        change(store, UNHIDE, ["j15"], "here again")
        async with asyncio.timeout(60):
            while "j15" not in ids(await client.search(own_shop.photo(15), k=16)):
                await asyncio.sleep(0.01)

    alone(own_shop, ask)


def test_what_was_hidden_stays_so_while_it_cannot_be_read_what_is(own_shop: ServedShop) -> None:
    change(own_shop.store, HIDE, ["i3"], "sold")

    async def ask(client: Client) -> None:
        (own_shop.root / "store/hidden/00000002.json").write_text("no json")
        told = await client._until(lambda told: "hidden" in told)
        assert (told["status"], "is not valid JSON" in told["hidden"]) == ("ready", True)
        assert "i3" not in ids(await client.search(own_shop.photo(3), k=12))
        own_shop.go_live("second")
        await client.ready("second")

    alone(own_shop, ask)


def test_who_cannot_read_what_is_hidden_when_it_starts_answers_nothing(own_shop: ServedShop) -> None:
    (own_shop.root / "store/hidden").mkdir()
    (own_shop.root / "store/hidden/00000001.json").write_text("no json")

    async def main() -> None:
        async with serving(own_shop, ready=False) as client:
            assert (await client.told(reason="hidden"))["status"] == "refused"
            problem(await client.http.get("/v1/items/i3"), 503, "not_ready")

    asyncio.run(main())
