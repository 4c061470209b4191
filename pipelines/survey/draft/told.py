"""What `init` tells of a feed beside the config: its rows, its photos, what is damaged, what looks odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from pipelines.catalogue.arrivals import Rejected
from pipelines.catalogue.formats.base import RawRow
from pipelines.catalogue.partitions import partitions_of
from pipelines.catalogue.rows import format_of
from pipelines.config.formats import with_preset
from pipelines.survey.draft.chains import are_upside_down
from pipelines.survey.draft.copies import copies_of, drafts_of
from pipelines.survey.draft.named import Named
from pipelines.survey.draft.photos import Place, pages_of
from pipelines.survey.draft.source import Source
from pipelines.survey.draft.trial import Trial

_TOLD = 2
"""The most rejected rows of a code that are told one by one."""


def of_feed(source: Source, files: int, rows: int, trial: Trial | None) -> Iterator[str]:
    """Yield what was looked at: so many rows of so many files."""
    items = f", {len(trial.items):,} items" if trial else ""
    looked = "the last" if files == 1 else str(files)
    more = f" ({looked} of {source.files} files)" if source.files > 1 else ""
    yield f"{source.place}{more}: {format_of(source.file)}, the first {rows:,} rows{items}"


def of_photos(place: Place | None, refused: Sequence[str] = ()) -> Iterator[str]:
    """Yield where photos are, and where they were looked for in vain; `refused` are hosts that will not be asked."""
    if place is None:
        return
    if place.addresses:
        yield f"photos: {place.addresses} of the first {place.looked_at} are addresses, which are fetched when it runs"
    if refused:
        yield (
            f"photos: {', '.join(refused)} is not of the internet, and asked only where fetch.allowed_networks names "
            "it: if these are the shop's own machines, take away both # before that key in the config"
        )
    if place.files and place.root is not None:
        yield f"photos: {place.there} of the first {place.files} paths are below {place.root}"
    elif place.tried:
        looked = ", ".join(place.tried[:6])
        yield f"photos: none of the first {place.files or place.looked_at} was found; looked in {looked}"


def of_named(named: Named | None) -> Iterator[str]:
    """Yield which files are called by a column, and have no path by the pattern."""
    if named is not None and named.more:
        yield f"photos: {named.more}: list all in a table, catalogue.media; the config has the lines, below a #"


def of_pages(uris: Sequence[str]) -> Iterator[str]:
    """Yield which addresses are of pages, not of photos."""
    if pages := pages_of(uris):
        yield (
            f"photos: {len(pages)} addresses are of pages in which people look at a photo, as {pages[0]!r}; a page is "
            "none: export addresses of the files (Google Drive: https://drive.google.com/uc?export=download&id=…, "
            "Dropbox: dl=1)"
        )


def of_rows(source: Source, rows: Sequence[RawRow], trial: Trial | None, questions: Container[str]) -> Iterator[str]:
    """Yield what is wrong with rows, and what looks odd.

    Nothing is said of categories where these are in question, nor of there being one where the file's folder names it.
    """
    if trial is None:
        yield from (f"  line {row.place}: {row.code}: {row.detail}" for row in _few([row for row in rows if row.code]))
        return
    if trial.rejects:
        counts = ", ".join(f"{code} {count}" for code, count in trial.codes.most_common())
        yield f"rejected: {len(trial.rejects)} of {trial.rows} rows ({counts})"
    few = _few(trial.rejects)
    yield from (f"  {one.source}: {one.code}: {one.detail}" for one in few)
    if len(trial.rejects) > len(few):
        yield f"  and {len(trial.rejects) - len(few)} more; `visual-search check` counts those of the whole feed"
    categories = {item.category for item in trial.items}
    says = [partition.casefold() for partition in partitions_of(source.file).values()]
    of_folder = any(level.casefold() in says for path in categories for level in path)
    if len(categories) == 1 and not of_folder and len(trial.items) > 1 and "category" not in questions:
        shown = " > ".join(*categories)
        yield f"note: all items are in one category, {shown!r}: catalogue.columns.category may be wrong"
    if are_upside_down(categories):
        longest = max(categories, key=lambda path: (len(path), path))
        shown = " > ".join(longest)
        yield f"note: categories such as {shown!r} seem to name the deepest level first: export them from the top"
    yield from (f"note: {hint}" for hint in trial.hints if not ("category" in questions and hint.startswith("categor")))


def of_copies(rows: Sequence[Mapping[str, Any]], section: Mapping[str, Any], trial: Trial | None) -> Iterator[str]:
    """Yield what tells rows of one id apart, where they are said to be in each other's way, and which are drafts."""
    item_id = with_preset(section)["columns"].get("item_id")
    if item_id and trial and trial.codes["conflicting_duplicate"] and (copies := copies_of(rows, item_id)):
        yield f"note: {copies}"
    if item_id and (drafts := drafts_of(rows, item_id)):
        yield f"note: {drafts}"


def _few[Row: (RawRow, Rejected)](rows: Sequence[Row]) -> list[Row]:
    """Return the first rows of each code, in their order."""
    seen = Counter[str]()
    return [row for row in rows if seen.update([row.code]) is None and seen[row.code] <= _TOLD]
