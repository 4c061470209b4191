"""XML of feeds (RSS `<item>`, Atom `<entry>` and such) -> raw rows, one an element; damage costs the rows that it hit.

The text is cut at the tags of rows, and each piece is parsed by itself: a feed of any size takes the memory of one row,
and what is wrong in one does not end the feed. A document type is never read, so that there are no entities to expand
and nothing to fetch. Names are without their namespace.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import islice
from typing import IO, Any, Final

from lxml import etree

from pipelines.catalogue.formats.base import Columns, RawRow, UnreadableError, possible_ids
from pipelines.catalogue.formats.elements import Element, Elements
from pipelines.catalogue.formats.nested import names_of
from pipelines.catalogue.formats.objects import checked_values

_ROWS_FOR_NAMES: Final = 1000
_PREFIX: Final = re.compile(r"[<\s/]([A-Za-z_][\w.-]*):(?=[A-Za-z_])")
_ENTITY: Final = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_OF_XML: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
_KNOWN: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
"""What such names as &LT; stand for, as XML writes it."""
_BYTES: Final = {0xDC00 + byte: 0x10F700 + byte for byte in range(0x80, 0x100)}
"""Bytes that are no text, as characters that XML allows: of the last private use area, which no font has icons in."""
_AS_THEY_WERE: Final = {private: byte for byte, private in _BYTES.items()}
_PARSER: Final = etree.XMLParser(
    resolve_entities=False, load_dtd=False, no_network=True, remove_comments=True, remove_pis=True
)
_FEEDS: Final = frozenset({"rss", "feed", "channel", "rdf:rdf"})
"""Roots of feeds, which may be empty."""
_CUT: Final = "the file ends before </{}>: it was cut off, and what stood behind is not known"


def read_xml(text: IO[str], columns: Columns, encoding: str) -> Iterator[RawRow]:
    """Yield the rows. Raises UnreadableError for what is no feed at all."""
    return _rows(Elements(text), columns, encoding)


def _rows(elements: Elements, columns: Columns, encoding: str) -> Iterator[RawRow]:
    number = 0
    for number, element in enumerate(elements, 1):
        yield _row(number, element, columns, encoding)
    if elements.is_cut:
        detail = f"line {elements.line}: {_CUT.format(elements.root)}"
        yield RawRow(number + 1, {}, "bad_row", detail, elements.line, _ids_in(elements.rest, columns), ends_early=True)


def xml_names(text: IO[str], columns: Columns, encoding: str) -> list[str]:
    """Return the names of the first rows' elements. Raises UnreadableError for what is no feed."""
    elements = Elements(text)
    rows = list(islice(_rows(elements, Columns(naming=columns.naming), encoding), _ROWS_FOR_NAMES))
    if not rows and elements.root.lower() not in _FEEDS:
        raise UnreadableError(
            f"it has no <item>, <entry>, <product> or <offer> in its <{elements.root}>, nor several elements of one "
            "name that have parts; export a feed"
        )
    return list(dict.fromkeys(name for row in rows for name in names_of(row.values)))


def _row(number: int, element: Element, columns: Columns, encoding: str) -> RawRow:
    detail = f"{element.where}: a row begins within this one: it has no end"
    if element.is_whole:
        try:
            values = _parsed(element.markup)
        except etree.XMLSyntaxError as error:
            detail = f"{element.where}: {_reason(error)}; write & as &amp;, < as &lt;, or texts as CDATA"
        else:
            is_plain = element.markup.isascii()
            return checked_values(number, element.line, values, columns, encoding, is_plain=is_plain)
    return RawRow(number, {}, "bad_row", detail, element.line, _ids_in(element.markup, columns))


def _parsed(markup: str) -> dict[str, Any]:
    """Return the fields of one element. Raises XMLSyntaxError."""
    prefixes = {*_PREFIX.findall(markup)} - {"xml", "xmlns"}
    declared = "".join(f' xmlns:{prefix}="urn:{prefix}"' for prefix in sorted(prefixes))
    text = _ENTITY.sub(_character, markup if markup.isascii() else markup.translate(_BYTES))
    row = etree.fromstring(f"<rows{declared}>{text}</rows>", _PARSER)[0]
    return {**_attributes(row), **_fields(row)}


def _fields(element: Any) -> dict[str, Any]:
    """Return what is in an element by name, a list each, for elements may repeat.

    Where a name stands in a namespace of its own and without one, as g:title beside title, the former is meant.
    """
    found: dict[str, dict[str, list[Any]]] = {}
    for child in element:
        namespace, _, name = child.tag.rpartition("}")
        found.setdefault(name, {}).setdefault(namespace, []).append(_value(child))
    return {name: by_namespace[max(by_namespace)] for name, by_namespace in found.items()}


def _value(element: Any) -> Any:
    if len(element):
        return _fields(element)
    text = element.text or ""
    text = text if text.isascii() else text.translate(_AS_THEY_WERE)
    return _attributes(element) if element.attrib and not text.strip() else text


def _attributes(element: Any) -> dict[str, str]:
    return {name.rpartition("}")[2]: value.translate(_AS_THEY_WERE) for name, value in element.attrib.items()}


def _character(found: re.Match[str]) -> str:
    """Return the character that a name of HTML stands for, which XML does not know by itself."""
    return found[0] if found[1] in _OF_XML else _KNOWN.get(character := html.unescape(found[0]), character)


def _reason(error: etree.XMLSyntaxError) -> str:
    return str(error.msg or "no XML").rpartition(", line ")[0] or str(error.msg)


def _ids_in(markup: str, columns: Columns) -> tuple[str, ...]:
    """Return what a damaged piece says its id is."""
    name = re.escape(columns.item_id)
    if not name:
        return ()
    pattern = rf"<(?:[\w.-]+:)?{name}>\s*(?:<!\[CDATA\[)?([^<\]]*)"
    return possible_ids(map(html.unescape, re.findall(pattern, markup, re.IGNORECASE)))
