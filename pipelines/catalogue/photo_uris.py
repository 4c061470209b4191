"""The text of a photo cell -> the uri that it names, without what exporters leave around it or write into it. Pure."""

from __future__ import annotations

import re
from typing import Final

from pipelines.catalogue.shops.texts import unescaped
from pipelines.catalogue.values import Remarks
from pipelines.config import CatalogueSection
from pipelines.shop_files.uri import SHARE, address_of

ESCAPED: Final = "escaped_address"
"""The remark on addresses that hold entities of HTML."""
TEMPLATE: Final = "template_address"
"""The remark on addresses with a place to fill in, as `{width}`."""
_PLACE: Final = re.compile(r"(?:\{|%7B){1,2}[a-z_]{1,20}(?:\}|%7D){1,2}", re.IGNORECASE)
_AMPERSAND: Final = re.compile(r"&(?:(?:amp|#0*38|#x0*26);)+", re.IGNORECASE)
"""Also one that was escaped twice: no host has parameters of these names."""
_QUOTES: Final = {'"': '"', "'": "'", "“": "”", "<": ">"}


def photo_uri(text: str, section: CatalogueSection, remarks: Remarks) -> str:
    """Return a photo's uri: without what the shop writes before paths below its folder of photos, within its pattern.

    Quotes around it are no part of it, folders are parted as Windows does it, too, what begins with two backslashes is
    on a share, and an address holds the characters that entities of HTML stand for: what is remarked, as are places in
    it that nobody has filled in.
    """
    path = _without(_unquoted(text), _slashes(section.photo_prefix or ""))
    path = (section.photo_pattern or "{}").replace("{}", path) if path else ""
    if place_in(path) and address_of(path, section.photo_root) is not None:
        remarks.add(TEMPLATE, repr(path[:120]))
    if "&" not in path or address_of(path, section.photo_root) is None:
        return path
    plain = unescaped(_AMPERSAND.sub("&", path))
    if plain != path:
        remarks.add(ESCAPED, repr(path[:120]))
    return str(plain)


def place_in(uri: str) -> str:
    """Return the place in a uri that somebody is to fill in, as `{width}`, "" where it has none."""
    found = _PLACE.search(uri)
    return found[0] if found else ""


def _unquoted(text: str) -> str:
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def _without(text: str, prefix: str) -> str:
    """Return a path without what the shop writes before it, which may name a share in either way."""
    slashed = _slashes(text)
    path = SHARE + slashed[2:] if text.startswith("\\\\") else slashed
    return next((one.removeprefix(prefix) for one in (path, slashed) if one.startswith(prefix)), path)


def _slashes(path: str) -> str:
    return path.replace("\\", "/")
