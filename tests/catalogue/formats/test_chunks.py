"""Damaged documents are read alike however much of them is read at a time, and end in rows or in an error of ours."""

import io
import json
import random
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from pipelines.catalogue.formats import elements, json_document
from pipelines.catalogue.formats.base import Columns, RawRow, UnreadableError
from pipelines.catalogue.formats.json_rows import read_json
from pipelines.catalogue.formats.xml_items import read_xml
from tests.catalogue.shops.exports import google_item, rss

READ = Columns("id", frozenset(), frozenset({"id", "title", "image_link"}))
ROWS = [{"id": c, "title": f"T {c}", "image_link": [{"a": c}]} for c in "abcd"]
DOCUMENTS = [
    pytest.param(rss(map(google_item, "abcd")), read_xml, elements, id="xml"),
    pytest.param(json.dumps(ROWS, indent=1), read_json, json_document, id="list"),
    pytest.param(json.dumps({"n": 1, "products": ROWS}), read_json, json_document, id="object"),
]
BITS = [
    "<item>", "</item>", "<![CDATA[", "]]>", "<!--", "-->", "&", "<", ">", "\udce9", "</rss>", '"', "<entry>", "&nbsp;",
    "\x00", "<item", "{", "}", "[", "]", ",", ":", "\\", "\n", "null", "\ufeff",
]  # fmt: skip


def damaged(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 4)):
        text = text or "x"
        at, kind = chance.randrange(len(text)), chance.random()
        if kind < 0.4:
            text = text[:at] + chance.choice(BITS) + text[at:]
        elif kind < 0.7:
            text = text[:at] + text[at + chance.randint(1, 40) :]
        elif kind < 0.85:
            text = text[: max(at, 5)]
        else:
            text = text[:at] + text[chance.randrange(len(text)) :] + text[at:]
    return text


@pytest.mark.parametrize(("text", "read", "module"), DOCUMENTS)
def test_damage_is_read_alike_in_small_and_large_pieces(
    monkeypatch: pytest.MonkeyPatch, text: str, read: Callable[..., Iterator[RawRow]], module: ModuleType
) -> None:
    def rows_of(content: str, chunk: int) -> Any:
        monkeypatch.setattr(module, "_CHUNK", chunk)
        try:
            return list(read(io.StringIO(content, newline=""), READ, "utf-8"))
        except UnreadableError as error:
            return str(error)

    for seed in range(150):
        content = damaged(text, random.Random(seed))
        assert rows_of(content, 7) == rows_of(content, 1 << 16), (seed, content)
