"""Why an item is not in a catalogue, as a verdict. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from pipelines.catalogue.arrivals import DELTAS, SNAPSHOT
from pipelines.runs.ledger import most_frequent_first
from pipelines.trace.facts import CATALOGUE, DELETED, FEED, REJECTED, WAITING, Catalogued, Row, Verdict
from pipelines.trace.near import MOST, Near, may_be_of
from pipelines.trace.reasons import RUN
from pipelines.trace.rows import CHANGED, NEW, PASSED_OVER

NOTHING_NEAR: Final = Near()
LIMITED: Final = "(--limit)"
"""What the catalogue's notes say of a run that read the first rows alone."""

FLAGGED: Final = 'to show it while it is out of stock, set catalogue.out_of_stock = "flag" or "keep"'


def absent(
    item_id: str,
    found: Catalogued,
    rows: Sequence[Row] | None,
    near: Near = NOTHING_NEAR,
    unnamed: Sequence[Mapping[str, str]] = (),
    notes: Sequence[str] = (),
) -> Verdict:
    """Return why a catalogue does not show an item.

    `rows` are those of the feeds now (None where these were not looked at), `near` ids that it may have meant,
    `unnamed` the rejected rows that do not say whose they are, `notes` those of the newest catalogue.
    """
    if found.state == WAITING:
        sentence = "neither its row nor the media table names a photo; the item waits for one"
        return Verdict(CATALOGUE, "waiting_for_photo", sentence, f"name a photo in the feed, and {RUN}")
    if found.state == DELETED:
        return _deleted(found, rows)
    if found.state == REJECTED:
        return _rejected(found, rows or ())
    return _unread(rows, notes) if rows else _unnamed(item_id, near, unnamed)


def _deleted(found: Catalogued, rows: Sequence[Row] | None) -> Verdict:
    by = next((row for row in rows or () if row.deleted and row.feed == found.feed), None)
    says = f" ({by.source} says so)" if by else ""
    back = f"to have it back, name it in the feed anew, and {RUN}"
    if by and by.out_of_stock:
        sentence = f'its row {by.source} says that it is out of stock, and catalogue.out_of_stock = "remove"'
        verdict = "out_of_stock", sentence
        back = f"{FLAGGED}; else stock it, and {RUN}"
    elif found.feed == DELTAS:
        verdict = "deleted_by_delta", f"the deltas deleted it as of {found.at}{says}"
    elif found.feed == SNAPSHOT and by:
        verdict = "deleted_by_row", f"its row in the snapshot says that it is gone, as of {found.at}{says}"
    elif found.feed == SNAPSHOT and rows is None:
        verdict = (
            "deleted",
            f"the snapshot of {found.at} does not name it any more, or says that it is gone or out of stock",
        )
        back = "trace it without --no-feeds, which tells which of these"
    elif found.feed == SNAPSHOT:
        verdict = "not_in_snapshot", f"the snapshot of {found.at} does not name it any more"
    else:
        verdict = "deleted", f"it was deleted as of {found.at}"
    return Verdict(CATALOGUE, *verdict, _back(rows or ()) or back)


def _rejected(found: Catalogued, rows: Sequence[Row]) -> Verdict:
    reject = found.rejects[0]
    sentence = f"its row {reject.source} was rejected, in catalogue {reject.catalogue}: {reject.code}: {reject.detail}"
    return Verdict(CATALOGUE, reject.code, sentence, _back(rows) or f"mend the row, and {RUN}")


def _back(rows: Sequence[Row]) -> str:
    """Return what to do where a feed that was not read yet names the item as it should."""
    sound = next((row for row in rows if row.file in {CHANGED, NEW} and not row.code and not row.deleted), None)
    return f"{sound.source} names it now, in a file that is new since: {RUN}" if sound else ""


def _unread(rows: Sequence[Row], notes: Sequence[str]) -> Verdict:
    """Return why an item that a feed names was never read into a catalogue."""
    row = next((row for row in rows if not row.code), rows[0])
    if row.file == PASSED_OVER:
        return Verdict(
            FEED,
            "passed_over",
            f"{row.source} names it, in a file of deltas that was never read, for it comes before the last one read",
            "give the file a name that comes after it, or read the deltas of its day by a backfill",
        )
    if row.code:
        sentence = f"its row {row.source} is rejected: {row.code}: {row.detail}"
        return Verdict(CATALOGUE, row.code, sentence, f"mend the row, and {RUN}")
    if any(LIMITED in note for note in notes):
        sentence = f"{row.source} names it, and the sample of the catalogue was drawn without it"
        return Verdict(FEED, "not_sampled", sentence, f"{RUN} without --limit, or with a higher one")
    if row.file in {CHANGED, NEW}:
        sentence = f"{row.source} names it, in a file that is new since the newest catalogue was made"
        return Verdict(FEED, "not_read_yet", sentence, RUN)
    sentence = f"{row.source} names it, but the newest catalogue has nothing of it"
    return Verdict(CATALOGUE, "not_in_catalogue", sentence, f"{RUN} again")


def _unnamed(item_id: str, near: Near, unnamed: Sequence[Mapping[str, str]]) -> Verdict:
    for row in unnamed:
        if may_be_of(row, item_id):
            sentence = f"no row names it; {row['source']}, which was rejected, may be its own: {row['detail']}"
            return Verdict(FEED, row["code"], sentence, "export ids as text")
    if near.alike:
        alike = " or ".join(map(repr, near.alike[:MOST]))
        return Verdict(FEED, "spelled_otherwise", f"no feed has named it; did you mean {alike}?", "trace that one")
    fix = "look for it in the shop's export"
    if unnamed:
        codes = ", ".join(f"{code} {n}" for code, n in most_frequent_first(Counter(row["code"] for row in unnamed)))
        fix += f"; rejected rows do not say whose they are ({codes}), such as {unnamed[0]['source']}"
    return Verdict(FEED, "never_named", "no feed that was read has named it", fix)
