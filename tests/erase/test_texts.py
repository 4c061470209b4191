"""Words and pictures of an item, taken out of JSON and of reports that evaluate has written."""

from __future__ import annotations

import io

import lxml.html
import numpy as np
import pytest
from PIL import Image

from pipelines.erase.subject import Subject
from pipelines.erase.tables import mention
from pipelines.erase.texts import cleaned_json, cleaned_page
from transforms.image import prepare
from transforms.phash import phash
from transforms.photo import PrepSpec
from transforms.thumbnail import data_uri, shrink

DIGEST = "ab" * 32
SUBJECT = Subject(("A-1", "it's"), (DIGEST,), uris=("photos/a 1.jpg",))


def cleaned(value: object) -> object:
    return cleaned_json(value, SUBJECT, mention(SUBJECT))


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"item_ids": ["A-1", "A-10", "B"]}, {"item_ids": ["A-10", "B"]}),
        ({"lost": "A-1", "item_id": "it's"}, {"lost": "(erased)", "item_id": "(erased)"}),
        ({"notes": ["item 'A-1' of 7, item 'A-10'"]}, {"notes": ["item (erased) of 7, item 'A-10'"]}),
        ({"notes": ['item "it\'s"']}, {"notes": ["item (erased)"]}),
        ({"examples": {"missing": "photos/a 1.jpg"}}, {"examples": {"missing": "(erased)"}}),
        ({"examples": ["photos/a 1.jpg: gone", "x/photos/a 1.jpg", "photos/a 1.jpg2"]},
         {"examples": ["(erased): gone", "x/photos/a 1.jpg", "photos/a 1.jpg2"]}),
        ({"colour": "A-1", "n": 1, "none": None}, {"colour": "A-1", "n": 1, "none": None}),
        ({"digest": DIGEST}, {"digest": "(erased)"}),
    ],
)  # fmt: skip
def test_what_json_says_of_an_item(value: object, kept: object) -> None:
    assert cleaned(value) == kept


def drawn(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).resize((200, 300)).save(out, "JPEG", quality=95)
    return prepare(out.getvalue(), PrepSpec(160, 120)).jpeg


def page(*results: tuple[str, bytes], query: tuple[str, bytes]) -> bytes:
    def picture(photo: bytes) -> str:
        small = shrink(photo, 128)
        assert small is not None
        return data_uri(small, "image/jpeg")

    shown = "\n".join(
        f'<div class="leaf" title="{item_id}: Shoes › Boots"><div class="photo"><img src="{picture(photo)}" '
        f'alt="result {item_id}"></div>\n    <div class="words">Boots</div></div>'
        for item_id, photo in results
    )
    return (
        "<!doctype html>\n<html><head><title>Release r</title></head><body><!-- carried --><!-- /carried -->"
        f'<div class="example"><div><div class="photo"><img src="{picture(query[1])}" alt="query {query[0]}"></div>'
        f'<div class="words"><b>A red boot</b>Shoes › Boots</div></div><div class="results">{shown}</div></div>'
        "<p>All numbers</p></body></html>"
    ).encode()


def subject_of(photo: bytes) -> Subject:
    with Image.open(io.BytesIO(photo)) as image:
        return Subject(("A-1",), (DIGEST,), looks=(phash(image.convert("RGB")).hex(),))


def pictures(text: bytes) -> list[str]:
    return [image.get("alt") for image in lxml.html.document_fromstring(text).iter("img") if image.get("src")]


def test_an_item_leaves_a_report_as_a_query_and_as_a_result() -> None:
    own, other = drawn(1), drawn(2)
    before = page(("A-1", own), ("A-10", other), query=("A-1", own))
    after, changed = cleaned_page(before, subject_of(own))
    assert changed
    assert pictures(after) == ["result A-10"]
    text = after.decode()
    assert "A red boot" not in text
    assert "A-1:" not in text
    assert "A-10: Shoes › Boots" in text
    assert "<!-- carried --><!-- /carried -->" in text
    assert text.startswith("<!doctype html>")
    assert "<p>All numbers</p>" in text


def test_its_picture_goes_wherever_it_is_shown_and_others_stay() -> None:
    """Another item's box with the very photo, as of items that shared it once."""
    own = drawn(1)
    before = page(("B", own), *((f"C{n}", drawn(n)) for n in range(2, 30)), query=("D", drawn(40)))
    after, changed = cleaned_page(before, subject_of(own))
    assert changed
    assert pictures(after) == ["query D", *(f"result C{n}" for n in range(2, 30))]


def test_a_report_without_it_stays_to_the_byte() -> None:
    before = page(("B", drawn(2)), query=("D", drawn(3)))
    assert cleaned_page(before, subject_of(drawn(1))) == (before, False)
