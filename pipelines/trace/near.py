"""Ids that are there and that one which is not may have meant: other case, zeros, blanks, a slip, a part of one.

Ids are bucketed by their hash, so what is only like one may be anywhere: the ids of the whole catalogue are compared, a
column a bucket at a time.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.store import Log, Store
from pipelines.tables.buckets import bucket_of, read_bucket
from pipelines.tables.schemas import DELETES, ITEMS, REJECTS

MOST = 5
"""Ids that are named."""
MOST_LETTERS = 64
"""Of ids in which a slip is looked for: what matches them all grows with their square."""
BAD_ID = "bad_item_id"
_REFUSED = re.compile(r"('.*?'|\".*?\"|[0-9.e+]+) (?:was|is|has) ")
"""The id that the detail of such a reject begins with, as Python writes it."""
_NOT_TOLD_APART = r"[^\p{L}\p{N}]"
_ZEROS = r"(^|[^\p{N}])0+(\p{N})"


@dataclass(frozen=True)
class Near:
    """Ids that are there: `alike` differ in what is hardly seen, `close` in a letter or by being longer."""

    alike: tuple[str, ...] = ()
    close: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Some of them, the likeliest first."""
        return (*self.alike, *self.close)[:MOST]


def nearest_ids(store: Store, catalogue_id: str, item_id: str, buckets: int) -> Near:
    """Return ids of a catalogue that are like one that it has not."""
    alike, close, longer = set[str](), set[str](), set[str]()
    wanted = plain(pa.array([item_id]))[0]
    slip = one_slip(item_id) if len(item_id) <= MOST_LETTERS else None
    part = rf"(?i)^(?:.+{_NOT_TOLD_APART})?{re.escape(item_id)}(?:{_NOT_TOLD_APART}.+)?$"
    for ids in _all_ids(store, catalogue_id, buckets):
        alike |= {*ids.filter(pc.equal(plain(ids), wanted)).to_pylist()}
        close |= {*ids.filter(pc.match_substring_regex(ids, slip)).to_pylist()} if slip else set()
        longer |= {*ids.filter(pc.match_substring_regex(ids, part)).to_pylist()}
    known = alike | {item_id, ""}
    return Near(tuple(sorted(alike - {item_id, ""})), (*sorted(longer - known), *sorted(close - longer - known)))


def plain(ids: pa.Array) -> pa.Array:
    """Return ids without case, marks between letters and digits, zeros before numbers, and what floats end with."""
    folded = pc.utf8_lower(pc.utf8_normalize(ids, "NFKC"))
    for pattern, kept in ((r"^([0-9]+)[.,]0+$", r"\1"), (_ZEROS, r"\1\2"), (_NOT_TOLD_APART, "")):
        folded = pc.replace_substring_regex(folded, pattern, kept)
    return folded


def one_slip(text: str) -> str:
    """Return what matches texts that differ in one letter: another, one more, one less, or two exchanged."""
    parts = [re.escape(letter) for letter in text]
    found = set[str]()
    for at in range(len(parts) + 1):
        before, behind = "".join(parts[:at]), "".join(parts[at:])
        found.add(f"{before}.{behind}")
        if at < len(parts):
            found |= {f"{before}.{''.join(parts[at + 1 :])}", f"{before}{''.join(parts[at + 1 :])}"}
        if at + 1 < len(parts):
            found.add(f"{before}{parts[at + 1]}{parts[at]}{''.join(parts[at + 2 :])}")
    return f"^(?:{'|'.join(sorted(found))})$"


def unnamed_rows(store: Store, buckets: int) -> list[dict[str, str]]:
    """Return the rejected rows (REJECTS) that do not say whose they are, of the newest catalogue that has such.

    They lie in the bucket of "", which is read of each catalogue that rejected anything, back to that one.
    """
    log = Log(store, "catalogue/log")
    for number in range(log.head()[0], 0, -1):
        entry = log.entry(number)
        if entry["rejects"]:
            table = read_bucket(store, f"catalogue/{entry['catalogue_id']}/rejects", bucket_of("", buckets), REJECTS)
            if found := table.filter(pc.equal(table["item_id"], "")).to_pylist():
                return found
    return []


def may_be_of(row: Mapping[str, str], item_id: str) -> bool:
    """Tell whether a row was rejected for an id that is the item's, but for what a spreadsheet or an export made of it.

    Such are control characters within it, and digits that were lost.
    """
    quoted = _REFUSED.match(row["detail"]) if row["code"] == BAD_ID else None
    if quoted is None:
        return False
    with suppress(ValueError, SyntaxError):  # cut off within an escape
        value = ast.literal_eval(quoted[1])
        if isinstance(value, float):
            return item_id.isdigit() and float(item_id) == value
        text = "".join(letter for letter in str(value) if letter.isprintable())
        return bool(text) and (_is_rounded(text, item_id) or len(plain(pa.array([text, item_id])).unique()) == 1)
    return False


def _is_rounded(text: str, item_id: str) -> bool:
    """Tell whether a number such as `4.00638E+12` may have been an id of as many digits."""
    digits, exponent = text.upper().replace(",", ".").partition("E+")[::2]
    if not (item_id.isdigit() and exponent.isdigit() and len(item_id) == int(exponent) + 1):
        return False
    return f"{int(item_id):.{len(digits.partition('.')[2])}E}".partition("E")[0] == digits


def _all_ids(store: Store, catalogue_id: str, buckets: int) -> Iterator[pa.Array]:
    tables = {"items": ITEMS, "waiting": ITEMS, "deletes": DELETES, "rejects": REJECTS}
    for bucket in range(buckets):
        for name, schema in tables.items():
            table = read_bucket(store, f"catalogue/{catalogue_id}/{name}", bucket, schema, ["item_id"])
            if table.num_rows:
                yield table["item_id"].combine_chunks()
