"""Items, what looks like them, their pictures, and the release."""

import io

import pytest
from PIL import Image

from tests.serving.client import Client, Shared, ids, problem
from tests.serving.shop import ServedShop


def test_an_item_is_told_with_its_photos(shop: ServedShop, asked: Shared) -> None:
    async def ask(client: Client) -> None:
        answer = await client.http.get("/v1/items/i5")
        assert answer.headers["x-release-id"] == "first"
        thumbnail = f"/v1/thumbnails/{shop.digest(5).hex()}"
        assert answer.json() == {
            "release_id": "first",
            "item_id": "i5",
            "category": ["Shoes", "Sandals"],
            "title": "Item 5",
            "price": 15.0,
            "currency": "EUR",
            "availability": "out_of_stock",
            "photos": [{"image_uri": "p5.jpg", "thumbnail": thumbnail}],
        }

    asked(ask)


def test_what_looks_like_an_item_leaves_itself_out(asked: Shared) -> None:
    async def ask(client: Client) -> None:
        answer = (await client.http.get("/v1/items/i5/similar", params={"k": 11})).json()
        assert (answer["release_id"], answer["item_id"]) == ("first", "i5")
        assert set(ids(answer)) == {f"i{n}" for n in range(12)} - {"i5"}
        scores = [result["score"] for result in answer["results"]]
        assert max(scores) <= 1

    asked(ask)


@pytest.mark.parametrize("item_id", ["nope", "a%2Fb", "%C3%BC%20%3F", "%00", "..", "i5%2Fsimilar%2Fx", "i" * 5000])
@pytest.mark.parametrize("what", ["", "/similar"])
def test_an_item_that_is_not_there_is_told(asked: Shared, item_id: str, what: str) -> None:
    async def ask(client: Client) -> None:
        answer = await client.http.get(f"http://service/v1/items/{item_id}{what}".replace("..", "%2E%2E"))
        problem(answer, 404, "unknown_item")

    asked(ask)


def test_a_filter_of_items_that_is_none_is_told(asked: Shared) -> None:
    async def ask(client: Client) -> None:
        problem(await client.http.get("/v1/items/i5/similar?attribute=size=9"), 422, "unknown_filter")
        problem(await client.http.get("/v1/items/i5/similar?explain=true"), 422, "bad_parameter")
        problem(await client.http.get("/v1/items/i5/similar?k=0"), 422, "bad_parameter")

    asked(ask)


@pytest.mark.parametrize(
    "path",
    [
        "items/i5?k=3",
        "release?release=second",
        "release/history?most=3",
        "releases/second/report?format=pdf",
        "facets?category=Bags",
        f"thumbnails/{64 * '0'}?size=big",
        "curated?limit=3",
        "judge/tasks?x=1",
    ],
)
def test_a_parameter_that_a_resource_does_not_take_is_told(asked: Shared, path: str) -> None:
    async def ask(client: Client) -> None:
        problem(await client.http.get(f"/v1/{path}"), 422, "bad_parameter")

    asked(ask)


def test_a_thumbnail_is_the_prepared_photo_without_its_canvas(shop: ServedShop, asked: Shared) -> None:
    """The photo of 24 x 32 pixels is prepared in 16 x 24, of which it fills 16 x 21."""

    async def ask(client: Client) -> None:
        answer = await client.http.get(f"/v1/thumbnails/{shop.digest(3).hex()}")
        assert answer.headers["content-type"] == "image/jpeg"
        assert "max-age=300" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.size == (16, 21)

    asked(ask)


@pytest.mark.parametrize(
    ("digest", "status", "code"), [("0" * 64, 404, "no_thumbnail"), ("0" * 63, 422, "bad_parameter")]
)
def test_a_thumbnail_that_is_not_there_is_told(asked: Shared, digest: str, status: int, code: str) -> None:
    async def ask(client: Client) -> None:
        problem(await client.http.get(f"/v1/thumbnails/{digest}"), status, code)

    asked(ask)


def test_the_release_that_answers_is_told(asked: Shared) -> None:
    async def ask(client: Client) -> None:
        told = (await client.http.get("/v1/release")).json()
        assert told.pop("loaded_at").endswith("+00:00")
        assert told == {
            "release_id": "first",
            "model_id": "m1",
            "index_id": "first-index",
            "space_id": "m1",
            "catalogue_id": "",
            "number": 1,
            "counts": {"items": 12, "vectors": 12, "item_photos": 12},
        }

    asked(ask)
