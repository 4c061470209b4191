"""Ids that are there and that one which is not may have meant: other case, zeros, blanks, a slip, a part of one.

Ids are bucketed by their hash, so what is only like one may be anywhere: the ids of the whole catalogue are compared, a
column a bucket at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.store import Log, Store
from pipelines.tables.buckets import bucket_of, read_bucket
from pipelines.tables.schemas import DELETES, ITEMS, REJECTS

MOST = 5
"""Ids that are named."""
MOST_LETTERS = 64
"""Of ids in which a slip is looked for: what matches them all grows with their square."""
CODE = "bad_item_id"
_QUOTED = re.compile(r"'([^']*)'")
_NOT_TOLD_APART = r"[^\p{L}\p{N}]"
_ZEROS = r"(^|[^\p{N}])0+(\p{N})"


def nearest_ids(store: Store, catalogue_id: str, item_id: str, buckets: int) -> tuple[str, ...]:
    """Return up to MOST ids of a catalogue that are like one that it has not, the likeliest first."""
    alike, close, longer = set[str](), set[str](), set[str]()
    wanted = plain(pa.array([item_id]))[0]
    slip = one_slip(item_id) if len(item_id) <= MOST_LETTERS else None
    part = rf"(?i)^(?:.+{_NOT_TOLD_APART})?{re.escape(item_id)}(?:{_NOT_TOLD_APART}.+)?$"
    for ids in _all_ids(store, catalogue_id, buckets):
        alike |= {*ids.filter(pc.equal(plain(ids), wanted)).to_pylist()}
        close |= {*ids.filter(pc.match_substring_regex(ids, slip)).to_pylist()} if slip else set()
        longer |= {*ids.filter(pc.match_substring_regex(ids, part)).to_pylist()}
    found = dict.fromkeys([*sorted(alike), *sorted(close), *sorted(longer)])
    return tuple(one for one in found if one and one != item_id)[:MOST]


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


def rounded_rows(store: Store, item_id: str, buckets: int) -> list[dict[str, str]]:
    """Return rejected rows (REJECTS) whose id a spreadsheet has rounded and that may be the item's, the newest first.

    Rows without an id that can be used lie in the bucket of "", which is read of each catalogue that rejected such.
    """
    found, log = list[dict[str, str]](), Log(store, "catalogue/log")
    for number in range(log.head()[0], 0, -1):
        entry = log.entry(number)
        if CODE in entry["rejects"]:
            table = read_bucket(store, f"catalogue/{entry['catalogue_id']}/rejects", bucket_of("", buckets), REJECTS)
            found += table.filter(pc.equal(table["code"], CODE)).to_pylist()
    return [row for row in found if any(_is_rounded(text, item_id) for text in _QUOTED.findall(row["detail"]))]


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
