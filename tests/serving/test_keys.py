"""Who may ask, and how often."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from pipelines.errors import StageError
from serving.keys import Keys
from tests.serving.client import Client, problem, serving
from tests.serving.shop import ServedShop

KEY, OTHER = "correct horse battery staple", "another"


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    path = tmp_path / "keys.toml"
    path.write_text(
        f'[web]\nsha256 = "{digest(KEY)}"\n[app]\nsha256 = "{digest(OTHER).upper()}"\nper_second = 0.5\nburst = 3\n'
    )
    return Keys.read(path)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_all_of_v1_wants_a_key_and_machines_want_none(shop: ServedShop, keys: Keys) -> None:
    async def main() -> None:
        async with serving(shop, keys) as client:
            http, photo = client.http, shop.photo(1)
            told = problem(await http.post("/v1/search", content=photo), 401, "no_key")
            assert "Authorization: Bearer" in told["detail"]
            wrong = await http.post("/v1/search", content=photo, headers=bearer("wrong"))
            problem(wrong, 401, "wrong_key")
            assert wrong.headers["www-authenticate"] == "Bearer"
            assert digest(KEY) not in wrong.text
            problem(
                await http.post("/v1/search", content=photo, headers={"Authorization": f"Basic {KEY}"}), 401, "no_key"
            )
            for headers in (bearer(KEY), {"authorization": f"bearer  {KEY} "}, {"X-API-Key": KEY}):
                assert (await http.post("/v1/search", content=photo, headers=headers)).status_code == 200
            thumbnail = f"/v1/thumbnails/{shop.digest(1).hex()}"
            for path in ("/v1/items/i1", "/v1/items/i1/similar", "/v1/release", "/v1/release/history", thumbnail):
                problem(await http.get(path), 401, "no_key")
                assert (await http.get(path, headers=bearer(KEY))).status_code == 200
            for path in ("/healthz", "/readyz", "/metrics"):
                assert (await http.get(path)).status_code == 200
            assert await client.metric('queries_total{key="web"}') == 5
            assert await client.metric('refused_total{code="no_key"}') == 7

    asyncio.run(main())


def test_a_key_has_so_many_queries_a_second(shop: ServedShop, keys: Keys) -> None:
    """Three at once, then one every two seconds; a photo counts one each."""

    async def main() -> None:
        async with serving(shop, keys) as client:
            two = [("image", shop.photo(1)), ("image", shop.photo(2))]
            first = await client.http.post("/v1/search", files=two, headers=bearer(OTHER))
            assert first.status_code == 200
            second = await client.http.post("/v1/search", files=two, headers=bearer(OTHER))
            assert "0.5 queries a second" in problem(second, 429, "too_fast")["detail"]
            assert second.headers["retry-after"] == "2"
            assert (await client.http.get("/v1/items/i1", headers=bearer(OTHER))).status_code == 200
            problem(await client.http.get("/v1/items/i1", headers=bearer(OTHER)), 429, "too_fast")
            assert (await client.http.get("/v1/items/i1", headers=bearer(KEY))).status_code == 200
            four = await client.http.post("/v1/search", files=two * 2, headers=bearer(OTHER))
            told = problem(four, 429, "too_fast")
            assert "4 queries at once, and the key has 3" in told["detail"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names no key; add one"),
        ("[web", "cannot be read"),
        ('web = "secret"', "web is no table"),
        ('[web]\nkey = "secret"', "unknown key 'key' in [web]; known are burst, curator, per_second, sha256"),
        ("[web]\n", "sha256 of [web] must be 64 hex digits"),
        ('[web]\nsha256 = "secret"', "sha256 of [web] must be 64 hex digits"),
        (f'[web]\nsha256 = "{digest(KEY)}"\nper_second = 0', "per_second of [web] is 0; it must be a number above 0"),
        (f'[web]\nsha256 = "{digest(KEY)}"\nburst = 4', "[web] has burst and no per_second"),
        (f'[web]\nsha256 = "{digest(KEY)}"\nper_second = true', "per_second of [web] is True"),
    ],
)
def test_a_file_of_keys_that_is_none_is_told_without_what_it_holds(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(StageError) as raised:
        Keys.read(path)
    assert told in str(raised.value)
    assert "secret" not in str(raised.value)


def test_no_page_of_elsewhere_may_ask_unless_it_is_named(shop: ServedShop) -> None:
    origin = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}

    async def ask(client: Client) -> str | None:
        answer = await client.http.post("/v1/search", content=shop.photo(1), headers=origin)
        return answer.headers.get("access-control-allow-origin")

    async def main(**settings: object) -> str | None:
        async with serving(shop, **settings) as client:
            return await ask(client)

    assert asyncio.run(main()) is None
    assert asyncio.run(main(cors_origins=["https://shop.example"])) == "https://shop.example"
    assert asyncio.run(main(cors_origins=["https://other.example"])) is None
