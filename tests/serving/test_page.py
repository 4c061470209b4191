"""The page's files: whole, from here alone, under a policy that keeps all else out."""

import re
from html.parser import HTMLParser

import pytest

from serving.page.routes import STATIC
from tests.serving.client import Client, Shared, alone
from tests.serving.shop import ServedShop

PAGES = {"/": "index.html", "/judge": "judge.html", "/quality": "quality.html"}
FILES = sorted(path.name for path in STATIC.iterdir() if path.name not in PAGES.values())
NAMESPACE = "http://www.w3.org/2000/svg"


class Parts(HTMLParser):
    """What a page loads, and what stands in it that a policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.loaded += [str(told[name]) for name in ("src", "href") if name in told]
        self.inline += [name for name in told if name == "style" or name.startswith("on")]
        self.inline += [tag] * (tag == "style" or (tag == "script" and "src" not in told))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_from_here_and_its_policy_lets_nothing_else_in(asked: Shared, page: str) -> None:
    async def ask(client: Client) -> None:
        answer = await client.http.get(page)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        parts = Parts()
        parts.feed(answer.text)
        assert parts.inline == []
        assert len(parts.loaded) > 3
        for address in parts.loaded:
            assert address.startswith("#") or (await client.http.get(address)).status_code == 200

    asked(ask)


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_there_and_names_nothing_elsewhere(asked: Shared, name: str) -> None:
    async def ask(client: Client) -> None:
        answer = await client.http.get(f"/page/{name}")
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "http" not in re.sub(r"^\s*//.*$", "", answer.text, flags=re.MULTILINE).replace(NAMESPACE, "")
        assert {*re.findall(r'from "\./([^"]+)"', answer.text)} <= {*FILES}

    asked(ask)


@pytest.mark.parametrize("name", ["nothing.js", "..%2froutes.py", "index.html", "judge.html", "app.py", "%2e%2e"])
def test_nothing_else_is_given_away(asked: Shared, name: str) -> None:
    async def ask(client: Client) -> None:
        assert (await client.http.get(f"/page/{name}")).status_code in {404, 422}

    asked(ask)


def test_what_there_is_to_filter_by_is_what_filters_leave(asked: Shared) -> None:
    async def ask(client: Client) -> None:
        said = (await client.http.get("/v1/facets")).json()
        release = (await client.http.get("/v1/release")).json()
        assert (said["release_id"], said["items"]) == (release["release_id"], release["counts"]["items"])
        assert sum(one["items"] for one in said["categories"] if len(one["path"]) == 1) == said["items"]
        assert [one["path"] for one in said["categories"]] == sorted(one["path"] for one in said["categories"])

    asked(ask)


def test_a_report_is_a_page_that_can_do_nothing(own_shop: ServedShop) -> None:
    async def ask(client: Client) -> None:
        release = (await client.http.get("/v1/release")).json()["release_id"]
        missing = await client.http.get(f"/v1/releases/{release}/report")
        assert (missing.status_code, missing.json()["code"]) == (404, "no_report")
        page = "<!doctype html><style>b { color: red }</style><b>grün</b>"
        own_shop.store.create(f"releases/{release}/report.html", page.encode())
        answer = await client.http.get(f"/v1/releases/{release}/report")
        assert (answer.status_code, answer.text) == (200, page)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert "script" not in policy
        assert (await client.http.get("/v1/releases/..%2f..%2flive/report")).status_code in {404, 422}

    alone(own_shop, ask)
