"""A photo cell that is written as something else than a path or an address -> the addresses in it. Pure functions.

Read are `srcset`, HTML, Markdown, attachments as Airtable exports them, and a spreadsheet's IMAGE and HYPERLINK.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Final

from pipelines.catalogue.lists import addresses_of
from pipelines.catalogue.values import SHOWN, Remarks
from pipelines.shop_files.uri import PHOTO_ENDING

SHAPED: Final = "shaped"
"""The remark on cells that are no plain address, by what they are written as."""
_MAY_BE: Final = re.compile(r"[\s<\[(]")
_PHOTO: Final = re.compile(rf"{PHOTO_ENDING}(?![a-z0-9])", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_CANDIDATE: Final = re.compile(
    r"\s*(?P<uri>[^\s,]\S*?)(?:\s+(?P<size>[0-9]+(?:\.[0-9]+)?)[wxh]\s*(?:,|\Z)|\s*(?:,(?=\s)|\Z))"
)
"""Of a srcset: an address, and mostly its width in pixels or its density."""
_ATTACHMENT: Final = re.compile(r"\s*[^\s(][^\n]*?\s\((?P<uri>https?://[^\s()]+)\)\s*(?:,|\Z)", re.IGNORECASE)
_LINK: Final = r"\[[^\]\n]*\]\(\s*<?{}>?(?:\s+\"[^\"\n]*\")?\s*\)"
_MARKDOWN: Final = re.compile(
    rf"[\s,;|]*(?:\[!{_LINK.format(r'(?P<linked>[^\s()<>]+)')}\]\([^\s()]*\)|!?{_LINK.format(r'(?P<uri>[^\s()<>]+)')})[\s,;|]*"
)
"""Pictures, those that are a link's text, and links."""
_FORMULA: Final = re.compile(r"\s*=\s*(?:IMAGE|HYPERLINK)\(\s*\"(?P<uri>[^\"\s]+)\".*\)\s*", re.IGNORECASE | re.DOTALL)


def photos_of(text: str, separator: str | None, remarks: Remarks) -> list[str]:
    """Return the paths or addresses of a cell: those within one of the shapes above, or what a separator parts.

    Of a srcset, which names one photo in several sizes, it is the largest.
    """
    for shape, read in _SHAPES.items() if _MAY_BE.search(text) else ():
        if uris := read(text):
            remarks.add(f"{SHAPED}:{shape}", repr(text[: 3 * SHOWN]))
            return uris
    return addresses_of(text, separator)


def _srcset(text: str) -> list[str]:
    found = _all(_CANDIDATE, text)
    if not any(one["size"] for one in found) or not all(map(_is_one, (one["uri"] for one in found))):
        return []
    return [max(found, key=lambda one: float(one["size"] or 1))["uri"]]


def _html(text: str) -> list[str]:
    if not text.lstrip().startswith("<") or "=" not in text:
        return []
    page = _Page()
    page.feed(text)
    page.close()
    return page.images or page.links


def _attachments(text: str) -> list[str]:
    return [one["uri"] for one in _all(_ATTACHMENT, text)]


def _markdown(text: str) -> list[str]:
    return [one["linked"] or one["uri"] for one in _all(_MARKDOWN, text)]


def _formula(text: str) -> list[str]:
    found = _FORMULA.fullmatch(text)
    return [found["uri"]] if found else []


_SHAPES: Final[Mapping[str, Callable[[str], list[str]]]] = {
    "srcset": _srcset,
    "HTML": _html,
    "Markdown": _markdown,
    "names of attachments with their addresses": _attachments,
    "a spreadsheet's formula": _formula,
}


def _all(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """Return the matches that follow one another from the beginning of a text to its end, none where they do not."""
    found, at = list[re.Match[str]](), 0
    while at < len(text):
        one = pattern.match(text, at)
        if one is None:
            return []
        found.append(one)
        at = one.end()
    return found


class _Page(HTMLParser):
    """Collects what the pictures of a piece of HTML show, and the photos that it links."""

    def __init__(self) -> None:
        super().__init__()
        self.images: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an image's address, that which it is loaded from later where it has one, and a link's to a photo."""
        values = {name: value for name, value in attrs if value}
        if tag == "img":
            address = values.get("data-src") or values.get("src", "")
            self.images += [address] if address and not address.startswith("data:") else []
        elif tag == "a" and _PHOTO.search(values.get("href", "")):
            self.links.append(values["href"])


def _is_one(text: str) -> bool:
    return _ADDRESS.match(text) is not None or _PHOTO.search(text) is not None
