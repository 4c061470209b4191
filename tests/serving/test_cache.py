"""Copies of a bucket's releases on disk."""

import asyncio
import json
from typing import Any

import pytest

from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE
from pipelines.releases.release import BrokenReleaseError, read_release
from serving.release.cache import ReleaseCache
from tests.serving.client import Client, ids, problem, serving
from tests.serving.far_store import FarStore
from tests.serving.shop import ServedShop


@pytest.fixture
def far(own_shop: ServedShop) -> FarStore:
    return FarStore(own_shop.root / "store")


def run(shop: ServedShop, far: FarStore, ask: Any, **settings: Any) -> None:
    async def main() -> None:
        cache = str(shop.root / "cache")
        async with serving(shop, store=far, cache=cache, **settings) as client:
            await ask(client)

    asyncio.run(main())


def parts(names: list[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(("models/", "indexes/")))


async def nothing(client: Client) -> None:
    await client.ready("first")


def test_what_was_fetched_is_not_fetched_again(own_shop: ServedShop, far: FarStore) -> None:
    run(own_shop, far, nothing)
    fetched = parts(far.opened)
    assert "indexes/first-index/vectors.npy" in fetched
    assert "models/m1/saved_model/saved_model.pb" in fetched
    assert len(fetched) == len(set(fetched))
    far.opened.clear()

    async def ask(client: Client) -> None:
        assert ids(await client.search(own_shop.photo(3), k=1)) == ["i3"]
        own_shop.go_live("second")
        await client.ready("second")
        assert ids(await client.search(own_shop.photo(15), k=1)) == ["j15"]

    run(own_shop, far, ask)
    assert all(name.startswith("indexes/second-index/") for name in parts(far.opened))  # the model was there


def test_a_process_that_starts_while_the_bucket_is_down_answers_from_its_copies(
    own_shop: ServedShop, far: FarStore
) -> None:
    change(far, HIDE, ["i5"], "sold")
    run(own_shop, far, nothing)
    far.is_down = True

    async def ask(client: Client) -> None:
        told = await client.ready("first")
        assert "503" in told["store"]
        assert "i5" not in ids(await client.search(own_shop.photo(5), k=12))
        assert ids(await client.search(own_shop.photo(3), k=1)) == ["i3"]
        assert (await client.http.get("/v1/items/i3")).json()["item_id"] == "i3"
        problem(await client.http.get("/v1/release/history"), 503, "store")
        far.is_down = False
        own_shop.go_live("second")
        assert "store" not in await client.ready("second")

    run(own_shop, far, ask)


def test_a_bucket_that_goes_down_takes_nothing_with_it(own_shop: ServedShop, far: FarStore) -> None:
    async def ask(client: Client) -> None:
        shown = f"/v1/thumbnails/{own_shop.digest(3).hex()}"
        assert (await client.http.get(shown)).status_code == 200
        far.is_down = True
        await client._until(lambda told: "store" in told)
        assert ids(await client.search(own_shop.photo(3), k=1)) == ["i3"]
        assert (await client.http.get(shown)).status_code == 200
        problem(await client.http.get(f"/v1/thumbnails/{own_shop.digest(4).hex()}"), 503, "store")

    run(own_shop, far, ask)


def test_a_damaged_copy_is_fetched_anew_and_a_damaged_object_refused(own_shop: ServedShop, far: FarStore) -> None:
    cache, release = ReleaseCache(far, own_shop.root / "cache"), read_release(far, "first")
    cache.take(release)
    copy = cache.folder / "indexes/first-index/vectors.npy"
    whole = copy.read_bytes()
    copy.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    far.opened.clear()
    cache.take(release)
    assert parts(far.opened) == ["indexes/first-index/vectors.npy"]
    assert copy.read_bytes() == whole
    copy.unlink()
    (own_shop.root / "store/indexes/first-index/vectors.npy").write_bytes(b"damaged")
    with pytest.raises(
        BrokenReleaseError, match=r"gs://far/store/indexes/first-index/vectors.npy has sha256 .* damaged"
    ):
        cache.take(release)
    assert not copy.exists()
    assert list(cache.folder.rglob(".tmp-*")) == []


def test_stores_that_share_a_folder_do_not_meet(own_shop: ServedShop) -> None:
    root = own_shop.root / "store"
    one, other = (ReleaseCache(FarStore(root, uri), own_shop.root / "cache") for uri in ("gs://a/s", "gs://b/s"))
    one.remember(7, "r7")
    assert (one.last(), other.last()) == ((7, "r7"), None)


def test_old_copies_go_with_what_no_other_release_has(own_shop: ServedShop, far: FarStore) -> None:
    async def ask(client: Client) -> None:
        own_shop.go_live("second")
        await client.ready("second")
        async with asyncio.timeout(60):
            while await client.metric("releases_in_memory") != 1:
                await asyncio.sleep(0.01)
        own_shop.add_release("third", "second-index", "run-2")
        own_shop.go_live("third")
        await client.ready("third")

    run(own_shop, far, ask, cached_releases=1)
    cache = ReleaseCache(far, own_shop.root / "cache")
    cache.evict({"third"})
    kept = {path.relative_to(cache.folder).parts[:2] for path in cache.folder.rglob("*") if path.is_file()}
    assert kept == {
        ("indexes", "second-index"), ("models", "m1"), ("releases", "third"), ("last_live.json",), ("hidden.json",),
        ("curated.json",),
    }  # fmt: skip
    assert json.loads((cache.folder / "last_live.json").read_text())["release_id"] == "third"
