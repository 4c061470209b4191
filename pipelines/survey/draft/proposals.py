"""What remarks and rejects of a trial ask for, as settings to try. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from pipelines.catalogue.categories import OTHER_LEVELS, SEVERAL_PATHS
from pipelines.catalogue.mapping import SEVERAL_PHOTOS
from pipelines.catalogue.values import MAY_BE_THOUSANDS
from pipelines.config.formats import with_preset
from pipelines.config.shop import listed, words_of
from pipelines.config.words import DELETED, NOT_DELETED
from pipelines.survey.draft.dates import forms_of
from pipelines.survey.draft.gone import keys_of_words
from pipelines.survey.draft.kinds import Kinds, are_apart, heads_of, kinds_of
from pipelines.survey.draft.marks import are_codes, between_levels, between_paths, between_photos, whole_mark
from pipelines.survey.draft.names import said
from pipelines.survey.draft.prices import of_no_number
from pipelines.survey.draft.profile import NO_PHOTO, has_text, profile, texts_of
from pipelines.survey.draft.trial import Trial

_LACKS = frozenset({"conflicting_duplicate", "no_category", "no_photo", "no_item_id"})
_FEW = 0.1
"""Of the rows, whose dates may be damaged."""
_MOST_RUNS = 0.8
"""Of the rows, as values of a column in which several rows of a product stand together."""


@dataclass(frozen=True)
class Proposal:
    """Keys of [catalogue] and of its columns to set, columns to leave out, and why.

    What the cells tell is certain: it is kept unless more rows are rejected with it.
    """

    why: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)
    drops: tuple[str, ...] = ()
    is_certain: bool = False
    saves_rows: bool = False
    """Whether it is only worth something where fewer rows are rejected with it."""

    def applied(self, section: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keys of [catalogue] with this."""
        kept = {key: value for key, value in section.get("columns", {}).items() if key not in self.drops}
        columns = {**kept, **self.columns}
        return {**section, **self.keys, **({"columns": columns} if columns else {})}


@dataclass(frozen=True)
class Seen:
    """A section as it stands, what the reader made of some rows under it, and these rows."""

    section: Mapping[str, Any]
    trial: Trial
    rows: Sequence[Mapping[str, Any]]

    @property
    def columns(self) -> Mapping[str, Any]:
        """The keys of `catalogue.columns`, those of a format too."""
        columns: Mapping[str, Any] = with_preset(self.section)["columns"]
        return columns

    def cells(self, names: str | list[str] | None) -> list[str]:
        """Return the texts of some columns."""
        return [text for name in listed(names) for row in self.rows for text in texts_of(row.get(name))]


def proposals(seen: Seen) -> Iterator[Proposal]:
    """Yield what to try, the likeliest first."""
    for propose in _PROPOSE:
        yield from propose(seen)


def _photos(seen: Seen) -> Iterator[Proposal]:
    if seen.trial.summary.remarks[SEVERAL_PHOTOS]:
        cells = seen.cells(seen.columns["photos"])
        mark = between_photos(cells)
        if mark:
            why = f"between the photos of {_such(cells, mark)}"
            yield Proposal(why, columns={"photo_separator": mark}, is_certain=True)


def _films(seen: Seen) -> Iterator[Proposal]:
    uris = (photo.image_uri for item in seen.trial.items for photo in item.photos)
    names = Counter(found[0].lower() for uri in uris if (found := NO_PHOTO.search(uri)))
    if names and not seen.section.get("roles"):
        rules = [{"role": "video", **_such_as(name)} for name in sorted(names)]
        why = f"no photos: {', '.join(f'{name} ({count})' for name, count in sorted(names.items()))}"
        yield Proposal(why, {"roles": rules, "drop_roles": ["video"]}, is_certain=True)


def _such_as(name: str) -> dict[str, str]:
    return {"name": f"*{name}"} if name.startswith(".") else {"pattern": re.escape(name)}


def _continues(seen: Seen) -> Iterator[Proposal]:
    if not seen.columns.get("continues") and seen.trial.codes.keys() & _LACKS:
        named = [seen.columns[key] for key in ("item_id", "group_id") if seen.columns.get(key)]
        for column in dict.fromkeys([*named, *_neighbours(seen)]):
            if column == seen.columns["item_id"] and not _are_more(seen):
                continue
            why = "further rows of it leave out what the first one says"
            yield Proposal(why, columns={"continues": column, **_group(seen, column)}, saves_rows=True)
        for column in _leading(seen):
            why = "rows without it are more of the one above"
            yield Proposal(why, columns={"item_id": column, "continues": column}, saves_rows=True)


def _group(seen: Seen, column: str) -> dict[str, str]:
    """Return that rows which go on from others are their variants, where each has an id of its own."""
    ids = [" ".join(texts_of(row.get(seen.columns["item_id"]))) for row in seen.rows]
    is_own = column != seen.columns["item_id"] and all(ids) and len({*ids}) == len(ids)
    return {"group_id": column} if is_own and not seen.columns.get("group_id") else {}


def _leading(seen: Seen) -> Iterator[str]:
    """Yield the columns of ids of which just the rows have none that have neither photo nor category, but an id."""
    said_first = [*listed(seen.columns["photos"]), *listed(seen.columns["category"])]
    if not all(texts_of(row.get(seen.columns["item_id"])) for row in seen.rows):
        return
    for name in (name for name in seen.rows[0] if said(name, "item_id")) if seen.rows else ():
        ids = [" ".join(texts_of(row.get(name))) for row in seen.rows]
        is_led = all(bool(one) == has_text(row, said_first) for one, row in zip(ids, seen.rows, strict=True))
        if is_led and len({*ids} - {""}) == sum(map(bool, ids)) and not all(ids):
            yield name


def _are_more(seen: Seen) -> bool:
    """Tell whether rows without an id are more of the one above: they say something, and neither title nor category."""
    rows = [row for row in seen.rows if not texts_of(row.get(seen.columns["item_id"]))]
    own = [*listed(seen.columns.get("title")), *listed(seen.columns["category"])]
    more = [*listed(seen.columns["photos"]), *seen.columns.get("attributes", {}).values()]
    named, saying = (sum(has_text(row, of) for row in rows) for of in (own, more))
    return not rows or (2 * named < len(rows) <= 2 * saying)


def _kinds(seen: Seen) -> Iterator[Proposal]:
    if seen.trial.codes.keys() & _LACKS:
        for kinds in kinds_of(seen.rows, listed(seen.columns["photos"]), listed(seen.columns["category"])):
            why = "are no items, and name neither photo nor category"
            yield from _left_out(seen, kinds, why, saves_rows=True)


def _heads(seen: Seen) -> Iterator[Proposal]:
    """Leave out rows that only head a group: nobody can buy them, and those below have photos of their own."""
    item_id, group_id = seen.columns["item_id"], seen.columns.get("group_id")
    if group_id and item_id != group_id:
        photos, category = listed(seen.columns["photos"]), listed(seen.columns["category"])
        for kinds in heads_of(seen.rows, item_id, group_id, photos, category):
            why = f"rows only head the groups that others name in {group_id}, and are no items"
            yield from _left_out(seen, kinds, why, saves_rows=False)


def _left_out(seen: Seen, kinds: Kinds, why: str, *, saves_rows: bool) -> Iterator[Proposal]:
    mapped = listed(seen.columns.get("deleted"))
    if kinds.column in mapped or not are_apart(seen.rows, kinds, seen.columns["item_id"]):
        return
    gone = {kinds.column: {*kinds.others}} | {name: _words(seen, "deleted_words", name, DELETED) for name in mapped}
    live = {kinds.column: {*kinds.items} - {""}} | {
        name: _words(seen, "not_deleted_words", name, NOT_DELETED) for name in mapped
    }
    told = f"{kinds.column}: {', '.join(sorted(kinds.others))} {why}"
    columns = {"deleted": [kinds.column, *mapped] if mapped else kinds.column}
    yield Proposal(told, keys_of_words(gone, live), columns, is_certain=not saves_rows, saves_rows=saves_rows)


def _words(seen: Seen, key: str, column: str, usual: Sequence[str]) -> set[str]:
    return {*words_of(seen.section.get(key, [*usual]), column, usual)}


def _neighbours(seen: Seen) -> Iterator[str]:
    """Yield the columns that each row fills, and in which rows of one value stand together."""
    for name in seen.rows[0] if seen.rows else ():
        cells = [texts_of(row.get(name)) for row in seen.rows]
        values = {tuple(cell) for cell in cells}
        runs = sum(1 for _ in groupby(cells))
        if all(cells) and 1 < len(values) == runs < _MOST_RUNS * len(cells):
            yield name


def _levels(seen: Seen) -> Iterator[Proposal]:
    if not isinstance(seen.columns["category"], str):
        return
    cells = seen.cells(seen.columns["category"])
    whole = whole_mark(cells, seen.columns.get("category_separator") or ">")
    if whole:
        why = f"between the levels of {_such(cells, whole)}"
        yield Proposal(why, columns={"category_separator": whole}, is_certain=True)
    if seen.trial.summary.remarks[OTHER_LEVELS]:
        for mark in between_levels(cells):
            yield Proposal(f"between the levels of {_such(cells, mark)}", columns={"category_separator": mark})


def _paths(seen: Seen) -> Iterator[Proposal]:
    if seen.trial.summary.remarks[SEVERAL_PATHS] and isinstance(seen.columns["category"], str):
        cells = seen.cells(seen.columns["category"])
        mark, hold = between_paths(cells, seen.columns.get("category_separator", ">"))
        if not mark and are_codes(cells):
            return
        example = seen.trial.summary.remarked[SEVERAL_PATHS]
        why = f"between the paths of {_such(cells, mark)}" if mark else f"{example} is one path"
        deepest = {"category_choice": "deepest"} if hold else {}
        yield Proposal(why, columns={"category_path_separator": mark, **deepest}, is_certain=True)


def _decimals(seen: Seen) -> Iterator[Proposal]:
    if seen.section.get("decimal_mark") is not None:
        return
    prices = seen.cells(seen.columns.get("price"))
    if seen.trial.codes["bad_number"]:
        yield Proposal(f"numbers such as {_such(prices, ',')}", {"decimal_mark": ","})
    if seen.trial.summary.remarks[MAY_BE_THOUSANDS]:
        yield _thousands(prices)


def _prices(seen: Seen) -> Iterator[Proposal]:
    """Leave a price out of which more cells are no number than are damage: items without a price are items."""
    names = listed(seen.section.get("columns", {}).get("price"))
    if seen.trial.codes["bad_number"] <= _FEW * seen.trial.rows:
        return
    columns = [profile(name, [row.get(name) for row in seen.rows]) for name in names]
    bad = [one for one in columns if 1 - one.numbers > _FEW]
    good = [one.name for one in columns if one not in bad]
    if bad:
        why = f"{bad[0].name!r} is no price: {of_no_number(bad[0])}"
        yield Proposal(why, columns={"price": good[0] if len(good) == 1 else good} if good else {}, drops=("price",))


def _thousands(prices: Sequence[str]) -> Proposal:
    """Tell what 1.299 means by the other prices: where nearly all have three decimals, they are thousands."""
    of_three = sum(price.rpartition(".")[2][:3].isdecimal() and len(price.rpartition(".")[2]) >= 3 for price in prices)
    mark = "," if 2 * of_three > len(prices) or any("," in price for price in prices) else "."
    what = "counts thousands" if mark == "," else "counts none"
    return Proposal(f"the point of {_such(prices, '.')} {what}", {"decimal_mark": mark}, is_certain=True)


def _dates(seen: Seen) -> Iterator[Proposal]:
    column = seen.columns.get("updated_at")
    wrong = seen.trial.codes["bad_date"] + seen.trial.codes["future_date"]
    if column and wrong > _FEW * seen.trial.rows:
        texts = seen.cells(column)
        forms = forms_of(texts) if not seen.section.get("date_format") else []
        if len(forms) == 1:
            yield Proposal(f"dates such as {_short(texts[0])}", {"date_format": forms[0]})
        why = f"updated_at = {column!r}, for dates such as {_short(texts[0])} can be read in two ways, or in none"
        yield Proposal(why, drops=("updated_at",))


_PROPOSE: tuple[Callable[[Seen], Iterator[Proposal]], ...] = (
    _photos,
    _films,
    _kinds,
    _continues,
    _heads,
    _levels,
    _paths,
    _decimals,
    _prices,
    _dates,
)


def _such(cells: Sequence[str], mark: str) -> str:
    return _short(next((cell for cell in cells if mark in cell), ""))


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return repr(plain if len(plain) <= 60 else f"{plain[:59]}…")
