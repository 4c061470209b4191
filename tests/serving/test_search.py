"""Searching by photo."""

import asyncio
import base64
import io

import pytest
from PIL import Image

from tests.embed.world import GREEN, RED
from tests.embed.world import jpeg as plain
from tests.serving.client import Client, Shared, ids, problem
from tests.serving.shop import HEIGHT, WIDTH, ServedShop


def test_a_photo_finds_its_item_first_raw_or_as_a_form(shop: ServedShop, asked: Shared) -> None:
    async def ask(client: Client) -> None:
        raw = await client.search(shop.photo(3), k=4)
        assert raw["release_id"] == "first"
        assert ids(raw)[0] == "i3"
        assert len(ids(raw)) == 4
        form = {"files": {"image": ("boot.jpg", shop.photo(3))}, "data": {"k": "4"}}
        told = (await client.http.post("/v1/search", **form)).json()
        assert told["answers"] == [raw["answers"][0] | {"query": "boot.jpg"}]

    asked(ask)


@pytest.mark.parametrize("kind", ["image/jpeg", "application/x-www-form-urlencoded", "application/octet-stream", ""])
def test_a_raw_photo_is_one_whatever_its_type_is_said_to_be(shop: ServedShop, asked: Shared, kind: str) -> None:
    async def ask(client: Client) -> None:
        headers = {"Content-Type": kind} if kind else {}
        answer = await client.http.post("/v1/search?k=1", content=shop.photo(5), headers=headers)
        assert ids(answer.json()) == ["i5"]

    asked(ask)


def test_a_result_says_what_the_shop_says_and_where_its_photo_is(shop: ServedShop, asked: Shared) -> None:
    async def ask(client: Client) -> None:
        [result] = (await client.search(shop.photo(4), k=1))["answers"][0]["results"]
        assert result.pop("score") == pytest.approx(1, abs=1e-3)
        assert result == {
            "item_id": "i4",
            "category": ["Shoes", "Boots"],
            "image_uri": "p4.jpg",
            "title": "Item 4",
            "price": 14.0,
            "currency": "EUR",
            "availability": "in_stock",
            "thumbnail": f"/v1/thumbnails/{shop.digest(4).hex()}",
        }

    asked(ask)


def test_several_photos_have_an_answer_each_in_their_order(shop: ServedShop, asked: Shared) -> None:
    async def ask(client: Client) -> None:
        photos = [("a.jpg", shop.photo(2)), ("page.html", b"<html>"), ("c.jpg", shop.photo(1))]
        answer = await client.http.post("/v1/search?k=1", files=[("image", photo) for photo in photos])
        assert answer.status_code == 200
        first, second, third = answer.json()["answers"]
        assert (first["query"], ids(first)) == ("a.jpg", ["i2"])
        assert (third["query"], ids(third)) == ("c.jpg", ["i1"])
        assert second["query"] == "page.html"
        assert (second["problem"]["code"], second["problem"]["status"]) == ("not_an_image", 415)
        assert "results" not in second

    asked(ask)


@pytest.mark.parametrize(
    ("parameters", "numbers"),
    [
        ({"category": ["Shoes", "Sandals"]}, {1, 3, 5, 7, 9, 11}),
        ({"category": ["Shoes"]}, set(range(12))),
        ({"attribute": "colour=red"}, {0, 2, 4, 6, 8, 10}),
        ({"attribute": ["colour=red", "colour=blue"]}, set(range(12))),
        ({"price_from": "12", "price_to": "13.5"}, {2, 3}),
        ({"price_to": "13.5", "currency": "EUR"}, {0, 1, 2, 3}),
        ({"in_stock": "true", "price_to": "14"}, {0, 1, 3, 4}),
    ],
)
def test_filters_leave_what_they_say(
    shop: ServedShop, asked: Shared, parameters: dict[str, object], numbers: set[int]
) -> None:
    async def ask(client: Client) -> None:
        wanted = {f"i{number}" for number in numbers}
        assert set(ids(await client.search(shop.photo(3), k=12, **parameters))) == wanted
        similar = await client.http.get("/v1/items/i3/similar", params={"k": 12, **parameters})
        assert set(ids(similar.json())) == wanted - {"i3"}

    asked(ask)


def test_a_filter_that_asks_for_what_is_not_there_fails_its_own_query_alone(shop: ServedShop, asked: Shared) -> None:
    async def ask(client: Client) -> None:
        async def one(number: int) -> object:
            parameters = {"k": "1"} | ({"category": "Hats"} if number == 3 else {})
            return await client.http.post("/v1/search", params=parameters, content=shop.photo(number))

        answers = await asyncio.gather(*(one(number) for number in range(8)))
        told = problem(answers[3], 422, "unknown_filter")
        assert "the index has no category 'Hats'" in told["detail"]
        others = [number for number in range(8) if number != 3]
        assert [ids(answers[number].json()) for number in others] == [[f"i{number}"] for number in others]

    asked(ask)


def test_a_box_is_all_that_is_looked_for(shop: ServedShop, asked: Shared) -> None:
    """Two products beside each other on one photo: each box finds its own."""
    left, right = (Image.open(io.BytesIO(shop.photo(number))) for number in (2, 7))
    both = Image.new("RGB", (left.width + right.width, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    out = io.BytesIO()
    both.save(out, "PNG")

    async def ask(client: Client) -> None:
        photo, (width, height) = out.getvalue(), left.size
        assert ids(await client.search(photo, k=1, box=f"0,0,{width},{height}")) == ["i2"]
        assert ids(await client.search(photo, k=1, box=f"{width},0,{2 * width},{height}")) == ["i7"]
        form = {"files": [("image", photo), ("image", photo)]}
        boxes = {"box": [f"{width},0,{2 * width},{height}", f"0,0,{width},{height}"], "k": "1"}
        two = (await client.http.post("/v1/search", data=boxes, **form)).json()["answers"]
        assert [ids(answer) for answer in two] == [["i7"], ["i2"]]

    asked(ask)


def test_explain_tells_what_is_seen_and_what_each_score_is_made_of(shop: ServedShop, asked: Shared) -> None:
    async def ask(client: Client) -> None:
        plain_answer = await client.search(shop.photo(6), k=3)
        [answer] = (await client.search(shop.photo(6), k=3, explain="true"))["answers"]
        assert answer["results"] == plain_answer["answers"][0]["results"]
        how = answer["explain"]
        with Image.open(io.BytesIO(base64.b64decode(how["photo"].partition(",")[2]))) as prepared:
            assert prepared.size == (WIDTH, HEIGHT)
        assert {seen["value"] for seen in how["seen"]["category"]} >= {"Shoes > Boots", "Shoes > Sandals"}
        assert how["index"] == "binary"
        assert set(how["categories"]) == {"Shoes > Boots", "Shoes > Sandals"}
        assert how["scanned"] == 12
        for told in how["results"]:
            assert told["score"] == pytest.approx(sum(told["parts"].values()), abs=1e-4)
            assert {"similarity", "category"} <= told["parts"].keys()

    asked(ask)


@pytest.mark.parametrize("colour", [RED, GREEN])
def test_a_photo_on_which_the_model_fails_fails_alone(
    shop: ServedShop, asked: Shared, colour: tuple[int, int, int]
) -> None:
    async def ask(client: Client) -> None:
        photos = [shop.photo(0), plain(colour, (WIDTH, HEIGHT)), shop.photo(1)]
        answers = await asyncio.gather(*(client.http.post("/v1/search?k=1", content=photo) for photo in photos))
        problem(answers[1], 500, "model_failed")
        assert [ids(answers[0].json()), ids(answers[2].json())] == [["i0"], ["i1"]]

    asked(ask)


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"k": "0"}, "k: "),
        ({"k": "201"}, "k: "),
        ({"k": "ten"}, "k: "),
        ({"size": "10"}, "size: "),
        ({"box": "1,2,3"}, "left,top,right,bottom"),
        ({"box": "10,0,5,5"}, "left < right"),
        ({"box": "0,0,nan,5"}, "no box"),
        ({"box": ["0,0,9,9", "0,0,9,9"]}, "2 boxes for 1 photos"),
        ({"attribute": "red"}, "NAME=VALUE"),
        ({"price_from": "9", "price_to": "3"}, "price_from = 9 is above price_to = 3"),
        ({"price_from": "-1"}, "price_from: "),
        ({"price_to": "inf"}, "price_to: "),
    ],
)
def test_a_parameter_that_is_none_is_named(
    shop: ServedShop, asked: Shared, parameters: dict[str, str], told: str
) -> None:
    async def ask(client: Client) -> None:
        answer = await client.http.post("/v1/search", params=parameters, content=shop.photo(0))
        assert told in problem(answer, 422, "bad_parameter")["detail"]
        fields = {"files": {"image": ("a.jpg", shop.photo(0))}, "data": parameters}
        assert told in problem(await client.http.post("/v1/search", **fields), 422, "bad_parameter")["detail"]

    asked(ask)


def test_a_parameter_that_stands_in_address_and_body_is_refused(shop: ServedShop, asked: Shared) -> None:
    async def ask(client: Client) -> None:
        form = {"files": {"image": ("a.jpg", shop.photo(0))}, "data": {"k": "3"}}
        told = problem(await client.http.post("/v1/search?k=4", **form), 422, "bad_parameter")
        assert told["detail"] == "k is given twice; give it once"

    asked(ask)


def test_it_is_told_why_an_item_is_not_among_the_results(shop: ServedShop, asked: Shared) -> None:
    async def ask(client: Client) -> None:
        everything = ids(await client.search(shop.photo(3), k=12))
        for rank, item_id in enumerate(everything, 1):
            answer = await client.search(shop.photo(3), k=2, explain="true", item=item_id)
            told = answer["answers"][0]["explain"]["item"]
            assert (told["item_id"], told["found"], told["standing"]["rank"]) == (item_id, rank <= 2, rank)
            assert told["verdict"]["reason"] == ("found" if rank <= 2 else "beyond_results")
        assert told["verdict"]["fix"].startswith("ask for more results (-k 12)")
        answer = await client.search(shop.photo(3), k=2, explain="true", item="i3", attribute="colour=red")
        told = answer["answers"][0]["explain"]["item"]
        assert (told["verdict"]["reason"], told["standing"]["photos"][0]["exact_rank"]) == ("filtered", 1)

    asked(ask)


def test_an_item_that_cannot_be_told_of_is_a_problem(shop: ServedShop, asked: Shared) -> None:
    async def ask(client: Client) -> None:
        unknown = await client.http.post("/v1/search?explain=true&item=nope", content=shop.photo(3))
        assert "nope" in problem(unknown, 404, "unknown_item")["detail"]
        unexplained = await client.http.post("/v1/search?item=i3", content=shop.photo(3))
        assert "add explain=true" in problem(unexplained, 422, "bad_parameter")["detail"]

    asked(ask)
