"""`init` of JSON as databases and search engines write it: which objects are rows, and what of lists in them is one."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import load_config
from tests.catalogue.shop import Shop
from tests.survey.feeds import COUNT
from tests.survey.test_init import init


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def hit(n: int) -> dict[str, Any]:
    """A document of Elasticsearch: lists of objects that have more names of columns than the row around them."""
    return {
        "_index": "products",
        "_id": f"K{n}",
        "_source": {
            "sku": f"K{n}",
            "name": {"de": f"Rock {n}", "en": f"Skirt {n}"},
            "categories": [{"id": 1, "path": ["Apparel", f"Kind {n % 3}"]}, {"id": 9, "path": ["Sale"]}],
            "prices": [{"currency": "USD", "amount": n + 1.5}, {"currency": "EUR", "amount": n + 0.5}],
            "media": [
                {"type": "image", "src": f"https://cdn.example/{n}.jpg"},
                {"type": "video", "src": f"https://cdn.example/{n}.mp4?v=1"},
                {"type": "video", "src": "https://www.youtube.com/watch?v=x"},
            ],
        },
    }


CDN = "https://cdn.example"
COLUMNS = {
    "item_id": "_source.sku", "photos": "_source.media.src", "category": "_source.categories.path",
    "title": "_source.name.de", "price": "_source.prices[0].amount", "currency": "_source.prices[0].currency",
}  # fmt: skip


def drafted(name: str, text: str) -> dict[str, Any]:
    """What `init` says of [catalogue], without what it drops."""
    Path(name).write_text(text, encoding="utf-8")
    result = init(name)
    assert result.exit_code == 0, result.output
    assert f"the first {COUNT} rows, {COUNT} items" in result.output
    return tomllib.loads(Path("shop.toml").read_text(encoding="utf-8"))["catalogue"]


@pytest.mark.parametrize("name", ["dump.jsonl", "dump.ndjson", "dump.json"])
def test_lines_are_rows_whatever_lists_they_hold(name: str) -> None:
    said = drafted(name, "".join(f"{json.dumps(hit(n))}\n" for n in range(COUNT)))
    assert {**said["columns"], "item_id": "_source.sku"} == COLUMNS
    assert said["columns"]["item_id"] in ("_id", "_source.sku")


@pytest.mark.parametrize("indent", [None, 1])
def test_an_answer_of_a_search_holds_them(indent: int | None) -> None:
    answer = {"took": 3, "hits": {"total": {"value": COUNT}, "hits": [hit(n) for n in range(COUNT)]}}
    assert drafted("answer.json", json.dumps(answer, indent=indent))["columns"]["price"] == COLUMNS["price"]


def test_pages_of_rows_a_line_each() -> None:
    pages = [{"code": 200, "products": [hit(n + k)["_source"] for k in range(10)]} for n in range(0, COUNT, 10)]
    assert drafted("pages.jsonl", "".join(f"{json.dumps(page)}\n" for page in pages))["columns"]["item_id"] == "sku"


def test_films_are_no_photos(tmp_path: Path) -> None:
    said = drafted("dump.jsonl", "".join(f"{json.dumps(hit(n))}\n" for n in range(COUNT)))
    assert said["drop_roles"] == ["video"]
    assert said["roles"] == [
        {"role": "video", "name": "*.mp4"},
        {"role": "video", "pattern": r"www\.youtube\.com"},
    ]
    assert load_config("shop.toml").catalogue.drop_roles == ["video"]
    manifest = Shop(tmp_path).run("r", "catalogue")["catalogue"]
    assert (manifest["counts"]["items"], manifest["counts"]["photos"]) == (COUNT, COUNT)


def test_of_objects_what_they_are_called_and_of_photos_no_category() -> None:
    """A brand as schema.org has it, and the entries of a gallery as Magento's interface does."""
    rows = [
        {
            "sku": f"M{n}",
            "name": f"Mug number {n}",
            "brand": {"@type": "Brand", "name": f"Acme {n % 3}"},
            "media_gallery_entries": [{"media_type": "image", "file": f"https://cdn.example/{n}.jpg"}],
        }
        for n in range(COUNT)
    ]
    Path("feed.json").write_text(json.dumps({"items": rows}), encoding="utf-8")
    result = init("feed.json")
    assert "# FILL IN: category" in result.output
    columns = tomllib.loads(Path("shop.toml").read_text(encoding="utf-8"))["catalogue"]["columns"]
    assert columns == {
        "item_id": "sku",
        "photos": "media_gallery_entries.file",
        "title": "name",
        "attributes": {"brand": "brand.name"},
    }


def test_items_by_their_ids_are_told_with_how_to_make_rows_of_them(tmp_path: Path) -> None:
    """As Firebase exports them, and with photos by ids too."""
    products = {
        f"-N{n}": {"name": f"Mug {n}", "type": "ab"[n % 2] * 3, "images": {f"-I{n}": {"url": f"{CDN}/{n}.jpg"}}}
        for n in range(COUNT)
    }
    document = {"categories": {"aaa": {"name": "Mugs"}}, "products": products}
    (tmp_path / "my export.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    result = init("my export.json")
    assert result.exit_code == 1
    assert f"my export.json holds {COUNT} items by their ids, in 'products', and no rows" in result.output
    program = '.["products"] | to_entries[] | {id: .key} + .value | .["images"] |= [.[]?]'
    assert f"jq -c '{program}' 'my export.json' > items.jsonl" in result.output
    rows = [{"id": key} | value | {"images": [*value["images"].values()]} for key, value in products.items()]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert init("items.jsonl").exit_code == 0
    columns = load_config("shop.toml").catalogue.columns
    assert (columns.item_id, columns.photos, columns.category) == ("id", "images.url", "type")
