"""Photo cells that are no plain address: the addresses within are read, whatever the feed was exported from."""

from __future__ import annotations

import pytest

from pipelines.catalogue.mapping import Mapper
from pipelines.catalogue.notes import hints_of
from pipelines.catalogue.photo_cells import photos_of
from pipelines.catalogue.summary import Summary
from pipelines.catalogue.values import Remarks
from pipelines.config import CatalogueSection

A, B = "https://cdn.example/a.jpg", "https://cdn.example/w_4,h_4/b.jpg?w=60&h=2"


@pytest.mark.parametrize(
    ("cell", "shape", "uris"),
    [
        (f"{A}?w=60 60w, {A}?w=640 640w,{A}?w=320 320w", "srcset", [f"{A}?w=640"]),
        (f"{A} 1x, {B} 2x", "srcset", [B]),
        (f"{A}, {B} 1.5x", "srcset", [B]),
        ("a-60.jpg 60w, img/a-640.jpg 640w", "srcset", ["img/a-640.jpg"]),
        (f"52 (1).jpg ({A}),back, side.jpg ({A}?2)", "names of attachments with their addresses", [A, f"{A}?2"]),
        (f'  <img loading="lazy" src="{B.replace("&", "&amp;")}" alt="A &gt; B" />\n', "HTML", [B]),
        (f"<p><a href='{A}'><img src='data:image/gif;base64,R0=' data-src='{B}'></a><IMG SRC={A}>", "HTML", [B, A]),
        (f'<a href="{A}">a.jpg</a>', "HTML", [A]),
        (f"![It's a bag]({A})", "Markdown", [A]),
        (f'![]({A} "A bag"), [![x]({B})](https://shop.example/b)', "Markdown", [A, B]),
        (f"[a.jpg]({A})\n[b.jpg](<{B}>)", "Markdown", [A, B]),
        (f'=IMAGE("{A}"; 4; 60)', "a spreadsheet's formula", [A]),
        (f'=HYPERLINK("{A}","Bag, (red)")', "a spreadsheet's formula", [A]),
    ],
)
def test_addresses_within(cell: str, shape: str, uris: list[str]) -> None:
    for separator in (None, ",", " "):  # what parts plain addresses parts none of these
        remarks = Remarks()
        assert photos_of(cell, separator, remarks) == uris
        assert remarks.counts == {f"shaped:{shape}": 1}


@pytest.mark.parametrize(
    "cell",
    [
        *(A, B, "my photo (1).jpg", "bag 2x", "bag 2x.jpg", f"<{B}>", "[front] bag.jpg", "a=b (c).jpg", "a.jpg, b.jpg"),
        *(f"{A} {B}", "<b>no photo</b>", '<a href="/product/7">Bag</a>', "see (https://cdn.example/) or a.jpg"),
        *("x " * 5000, "(" * 5000, "[" * 5000, f"a ({A}) " * 2000 + "b"),
    ],
)
def test_plain_ones_stay(cell: str) -> None:
    remarks = Remarks()
    assert photos_of(cell, None, remarks) == [cell]
    assert not remarks.counts


def test_items_have_the_addresses_and_a_note_says_so() -> None:
    columns = {"item_id": "sku", "photos": ["image", "more"], "category": "type", "photo_separator": ","}
    mapper = Mapper(CatalogueSection.model_validate({"snapshot": "f.csv", "columns": columns}))
    row = {"sku": "1", "type": "Bags", "image": f"{A} 60w, {B} 320w", "more": [f"<img src='{A}'>", "y.jpg,x/c.jpg"]}
    assert [one.image_uri for one in mapper.item(row, 0.0).photos] == [B, A, "y.jpg", "x/c.jpg"]
    summary = Summary(remarks=mapper.remarks.counts, remarked=mapper.remarks.examples)
    (srcset, html) = hints_of(summary)
    assert srcset == (
        f"photo cells that are written as srcset, of which the addresses within are read: 1, as '{A} 60w, {B} 320w'"
    )
    assert "as HTML" in html
