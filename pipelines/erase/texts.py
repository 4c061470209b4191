"""Words and pictures taken out of JSON objects and of reports."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any, Final

import lxml.html
from PIL import Image, UnidentifiedImageError

from pipelines.erase.subject import Subject
from pipelines.erase.tables import GONE, mention
from pipelines.store import Store
from transforms.phash import hamming, phash

IDS: Final = frozenset({"item_id", "item_ids", "lost"})
"""Keys whose values are ids of items."""
ALIKE_BITS: Final = 4
"""Of 64, in which the small picture of a photo may differ from the photo; a stranger's that does goes too."""
PICTURE: Final = re.compile(r"data:image/[a-z]+;base64,(.*)", re.DOTALL)


def cleaned_json(value: Any, subject: Subject, pattern: re.Pattern[str], key: str = "") -> Any:
    """Return a JSON value without the items' ids, and with words about their photos left out."""
    if isinstance(value, dict):
        return {name: cleaned_json(inner, subject, pattern, name) for name, inner in value.items()}
    if isinstance(value, list):
        kept = [inner for inner in value if not (key in IDS and inner in subject.item_ids)]
        return [cleaned_json(inner, subject, pattern, key) for inner in kept]
    if not isinstance(value, str):
        return value
    return GONE if key in IDS and value in subject.item_ids else pattern.sub(GONE, value)


def clean_json(store: Store, name: str, subject: Subject) -> bool:
    """Take what is said of the items out of an object of JSON; tell whether it said anything."""
    value = store.read_json(name)
    kept = cleaned_json(value, subject, mention(subject))
    if kept != value:
        store.put(name, json.dumps(kept, indent=1, sort_keys=True).encode())
    return bool(kept != value)


def speaks(store: Store, name: str, subject: Subject) -> bool:
    """Tell whether an object of JSON says anything of the items."""
    value = store.read_json(name)
    return bool(cleaned_json(value, subject, mention(subject)) != value)


def clean_page(store: Store, name: str, subject: Subject) -> bool:
    """Take the items, and pictures that look like theirs, out of a report; tell whether it showed any."""
    page, changed = cleaned_page(store.read(name), subject)
    if changed:
        store.put(name, page)
    return changed


def shows(store: Store, name: str, subject: Subject) -> bool:
    """Tell whether a report shows one of the items, or a picture that looks like theirs."""
    return cleaned_page(store.read(name), subject)[1]


def cleaned_page(page: bytes, subject: Subject) -> tuple[bytes, bool]:
    """Return a report without the items, and whether anything of it is gone."""
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True)
    root = lxml.html.document_fromstring(page, parser=parser)
    boxes = [box for item_id in subject.item_ids for box in _boxes(root, item_id)]
    for box in boxes:
        _forget(box)
    pictures = [picture for picture in root.iter("img") if _looks_like(picture.get("src", ""), subject)]
    for picture in pictures:
        del picture.attrib["src"]
    if not boxes and not pictures:
        return page, False
    text: bytes = lxml.html.tostring(root, encoding="utf-8", doctype="<!doctype html>")
    return text, True


def _boxes(root: Any, item_id: str) -> list[Any]:
    """Return what shows an item: the column of a query, and boxes of results."""
    pictures = root.xpath("//img[@alt=$query]", query=f"query {item_id}")
    results = root.xpath("//*[starts-with(@title, $start)]", start=f"{item_id}: ")
    return [*(picture.getparent().getparent() for picture in pictures), *results]


def _forget(element: Any) -> None:
    """Leave nothing of an item's box but that it was there."""
    for child in list(element):
        element.remove(child)
    element.attrib.pop("title", None)
    element.text = GONE


def _looks_like(source: str, subject: Subject) -> bool:
    found = PICTURE.fullmatch(source)
    if found is None or not subject.looks:
        return False
    try:
        with Image.open(io.BytesIO(base64.b64decode(found[1]))) as image:
            look = phash(image.convert("RGB"))
    except (OSError, ValueError, UnidentifiedImageError):
        return False
    return any(hamming(look, bytes.fromhex(other)) <= ALIKE_BITS for other in subject.looks)
