"""Where a release is weakest, over HTTP; who may decide, and what that does."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pipelines.curated import read_curated
from pipelines.curated.change import note
from pipelines.curated.entries import NOT_ALIKE, UNDO, Decision
from pipelines.errors import StageError
from serving.keys import Keys
from tests.serving.client import Client, alone, ids, problem, serving
from tests.serving.shop import ServedShop
from tests.serving.weak import KEY, OTHER, add_weakness

CURATOR = {"Authorization": f"Bearer {KEY}", "X-Visual-Search": "curate"}
PAIR = {"action": "not_alike", "item_ids": ["i4", "i2"], "reason": "another heel"}


@pytest.fixture
def weak_shop(own_shop: ServedShop) -> ServedShop:
    add_weakness(own_shop)
    return own_shop


def ask(shop: ServedShop, main: Any, **settings: Any) -> None:
    async def run() -> None:
        keys = Keys.read(shop.root / "keys.toml")
        async with serving(shop, keys, **{"curators": True, **settings}) as client:
            await main(client)

    asyncio.run(run())


def test_the_weakest_are_told_with_thumbnails_and_what_may_be_decided(weak_shop: ServedShop) -> None:
    async def main(client: Client) -> None:
        answer = await client.http.get("/v1/quality", headers=CURATOR, params={"limit": 2})
        told = answer.json()
        assert (answer.status_code, told["release_id"], told["items"], told["may_decide"]) == (200, "first", 12, True)
        lists = {one["kind"]: one["findings"] for one in told["lists"]}
        assert [one["item"]["item_id"] for one in lists["lonely"]] == ["i11", "i0"]
        [stranger] = lists["mislabelled"]
        assert (stranger["item"]["item_id"], stranger["category"]) == ("i0", ["Shoes", "Sandals"])
        assert stranger["actions"][0]["decision"]["category"] == ["Shoes", "Sandals"]
        thumbnail = await client.http.get(stranger["item"]["thumbnail"], headers=CURATOR)
        assert thumbnail.headers["content-type"] == "image/jpeg"
        web = {"Authorization": f"Bearer {OTHER}"}
        assert (await client.http.get("/v1/quality", headers=web)).json()["may_decide"] is False
        problem(await client.http.get("/v1/quality"), 401, "no_key")
        problem(await client.http.get("/v1/quality?limit=0", headers=CURATOR), 422, "bad_parameter")

    ask(weak_shop, main)


def test_a_decision_is_in_the_log_and_in_answers_at_once(weak_shop: ServedShop) -> None:
    async def main(client: Client) -> None:
        assert "i4" in ids((await client.http.get("/v1/items/i2/similar?k=11", headers=CURATOR)).json())
        done = await client.http.post("/v1/curated", json=PAIR, headers=CURATOR)
        assert done.json() == {"release_id": "first", "number": 1, "changed": True}
        assert "i4" not in ids((await client.http.get("/v1/items/i2/similar?k=11", headers=CURATOR)).json())
        by_photo = await client.http.post("/v1/search?k=12", content=weak_shop.photo(2), headers=CURATOR)
        assert "i2" in ids(by_photo.json())
        assert "i4" not in ids(by_photo.json())
        category = {"action": "category", "item_ids": ["i0"], "category": ["Shoes", "Sandals"], "reason": "open toes"}
        assert (await client.http.post("/v1/curated", json=category, headers=CURATOR)).json()["number"] == 2
        bad = {"action": "bad_photo", "item_ids": ["i11"], "image_uri": "p11.jpg", "reason": "blurred"}
        assert (await client.http.post("/v1/curated", json=bad, headers=CURATOR)).json()["number"] == 3
        told = (await client.http.get("/v1/quality", headers=CURATOR)).json()
        lists = {one["kind"]: [one["item"]["item_id"] for one in one["findings"]] for one in told["lists"]}
        assert "i11" not in lists["lonely"]
        assert lists["mislabelled"] == []
        decisions = (await client.http.get("/v1/curated", headers=CURATOR)).json()["decisions"]
        assert [one["number"] for one in decisions] == [3, 2, 1]
        assert (decisions[2]["by"], decisions[2]["reason"]) == ("key ann", "another heel")
        undo = {"action": "undo", "undoes": 1}
        assert (await client.http.post("/v1/curated", json=undo, headers=CURATOR)).json()["number"] == 4
        assert "i4" in ids((await client.http.get("/v1/items/i2/similar?k=11", headers=CURATOR)).json())

    ask(weak_shop, main)
    standing = read_curated(weak_shop.store).standing
    assert [entry.decision.action for entry in standing.values()] == ["category", "bad_photo"]


def test_what_others_decide_is_honoured_within_the_poll(own_shop: ServedShop) -> None:
    async def main(client: Client) -> None:
        for decision, wanted in ((Decision(NOT_ALIKE, ("i2", "i4")), False), (Decision(UNDO, undoes=1), True)):
            await asyncio.to_thread(note, own_shop.store, decision, "", "ann@box")
            async with asyncio.timeout(60):
                while ("i4" in ids((await client.http.get("/v1/items/i2/similar?k=11")).json())) is not wanted:
                    await asyncio.sleep(0.01)

    alone(own_shop, main)


def test_who_may_not_decide(weak_shop: ServedShop) -> None:
    async def main(client: Client) -> None:
        async def decide(status: int, code: str, body: Any = PAIR, **headers: str | None) -> None:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            sent = {name: value for name, value in {**CURATOR, **named}.items() if value is not None}
            problem(await client.http.post("/v1/curated", json=body, headers=sent), status, code)

        await decide(401, "no_key", Authorization=None)
        await decide(403, "not_a_curator", Authorization=f"Bearer {OTHER}")
        await decide(403, "other_site", Origin="https://evil.example")
        await decide(403, "other_site", Origin="null")
        await decide(403, "other_site", Sec_Fetch_Site="cross-site")
        await decide(403, "other_site", X_Visual_Search=None)
        own = await client.http.options("/v1/curated", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in own.headers
        assert not read_curated(weak_shop.store).number
        same = {**CURATOR, "Origin": "http://service", "Sec-Fetch-Site": "same-origin"}
        assert (await client.http.post("/v1/curated", json=PAIR, headers=same)).status_code == 200

    ask(weak_shop, main, cors_origins=["https://shop.example"])


def test_an_allowed_page_of_another_site_decides_nothing_either(weak_shop: ServedShop) -> None:
    async def main(client: Client) -> None:
        theirs = {**CURATOR, "Origin": "https://shop.example"}
        problem(await client.http.post("/v1/curated", json=PAIR, headers=theirs), 403, "other_site")

    ask(weak_shop, main, cors_origins=["https://shop.example"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**PAIR, "reason": " "}, 422, "bad_parameter"),
        ({**PAIR, "more": 1}, 422, "bad_parameter"),
        ({**PAIR, "item_ids": ["i1", "i2", "i3"]}, 422, "bad_parameter"),
        ({**PAIR, "item_ids": ["i1"]}, 422, "bad_decision"),
        ({**PAIR, "item_ids": ["i1", "no such"]}, 422, "bad_decision"),
        ({"action": "category", "item_ids": ["i1"], "category": ["No", "such"], "reason": "x"}, 422, "bad_decision"),
        ({"action": "bad_photo", "item_ids": ["i1"], "image_uri": "none.jpg", "reason": "x"}, 422, "bad_decision"),
        ({"action": "undo", "undoes": 5}, 422, "bad_decision"),
        ({"action": "hide", "item_ids": ["i1"], "reason": "x"}, 422, "bad_parameter"),
        ({**PAIR, "reason": "x" * 100_000}, 413, "body_too_large"),
    ],
)
def test_what_cannot_be_decided(weak_shop: ServedShop, body: dict[str, Any], status: int, code: str) -> None:
    async def main(client: Client) -> None:
        problem(await client.http.post("/v1/curated", json=body, headers=CURATOR), status, code)

    ask(weak_shop, main)
    assert not read_curated(weak_shop.store).number


def test_nobody_decides_unless_the_service_is_told_to_let_them(weak_shop: ServedShop) -> None:
    async def main(client: Client) -> None:
        problem(await client.http.post("/v1/curated", json=PAIR, headers=CURATOR), 403, "not_a_curator")
        assert (await client.http.get("/v1/quality", headers=CURATOR)).json()["may_decide"] is False

    ask(weak_shop, main, curators=False)


def test_a_service_for_curators_wants_one(shop: ServedShop, tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(shop, curators=True):
            pass

    with pytest.raises(StageError, match=r"serving\.curators = true, and no key is a curator's"):
        asyncio.run(main())
    path = tmp_path / "keys.toml"
    path.write_text('[ann]\nsha256 = "' + "0" * 64 + '"\ncurator = 1\n')
    with pytest.raises(StageError, match=r"curator of \[ann\] is 1; it must be true or false"):
        Keys.read(path)


def test_a_damaged_log_stays_as_it_was_read_and_is_told(own_shop: ServedShop) -> None:
    note(own_shop.store, Decision(NOT_ALIKE, ("i2", "i4")), "", "ann")

    async def main(client: Client) -> None:
        (own_shop.root / "store/curated/00000002.json").write_text("no json")
        told = await client._until(lambda told: "curated" in told)
        assert told["status"] == "ready"
        assert "i4" not in ids((await client.http.get("/v1/items/i2/similar?k=11")).json())

    alone(own_shop, main)
