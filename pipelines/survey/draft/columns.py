"""Which column holds what: by its name where that says it, by its cells where names are silent or lie."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.catalogue.availability import availability_of
from pipelines.catalogue.shops.attributes import ours
from pipelines.config.formats import SETTINGS
from pipelines.config.shop import listed
from pipelines.survey.draft.amounts import no_sales, unnamed_prices
from pipelines.survey.draft.gone import gone_columns
from pipelines.survey.draft.levels import category_columns
from pipelines.survey.draft.lists import first_of, list_holding
from pipelines.survey.draft.names import said, tokens
from pipelines.survey.draft.pictures import photo_columns
from pipelines.survey.draft.prices import is_net, no_prices, prices
from pipelines.survey.draft.profile import Profile, has_text, profiles, texts_of
from pipelines.survey.draft.state_words import SIGNS_OF_STOCK

Rows = Sequence[Mapping[str, Any]]
SHOWN = 50
_ID_FILLED = 0.2
"""The least share of rows, and of those with photos, that have an id."""
_ID_WORDS = 2.5
"""The most words of an id on average: more are a text, as of Heureka's PRODUCT."""
_UNNAMED = 0.3
"""What cells are worth whose column's name says nothing, beside one whose name does."""
_NESTED = 0.5
"""The same of fields of objects within a row's."""
_FEW_GROUPS = 10
"""Of so few numbers, each on as many rows or more, each says a state or a kind rather than a product."""
_BESIDE = frozenset({"type", "id", "url", "href", "link", "slug", "position", "image", "logo", "count", "order"})
"""Last words of fields that say of an object, as of a brand, something else than what it is called."""
_OF_SCHEMA_ORG = re.compile(r"https?://schema\.org/\w+", re.IGNORECASE)
_NOW = {"before": {"after"}, "old": {"new", "data"}, "oldimage": {"newimage"}, "previous": {"current"}}
"""What change streams, as Debezium's, Maxwell's and DynamoDB's, call a row as it was, and as it is."""
_ONE_TEXT = ("title", "group_id", "currency", "updated_at")
"""Keys whose cells may hold no list."""


@dataclass
class Guess:
    """Keys of `catalogue.columns`, why each, keys of [catalogue] that go with them, and why others were left out.

    `there` are all columns that say something.
    """

    keys: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)

    def take(self, key: str, value: Any, why: str) -> None:
        """Set a key."""
        self.keys[key], self.why[key] = value, why


def guessed(rows: Rows, names: Sequence[str]) -> Guess:
    """Return which columns of some rows hold what; names that stand twice in a header mean nothing certain."""
    columns = {name: one for name, one in profiles(rows, dict.fromkeys(names)).items() if names.count(name) == 1}
    columns = _of_now({name: one for name, one in columns.items() if one.filled and name}, names)
    guess = Guess(there=[*columns])
    photos, others = photo_columns(columns, rows)
    ids = _of_shown(columns, photos, rows)
    _take(guess, ids, "item_id", _as_id, lambda one: f"{one.distinct:.0%} of the values differ, {_such(one)}")
    if photos:
        guess.take("photos", photos[0] if len(photos) == 1 else photos, _such(columns[photos[0]]))
    guess.left_out += [f"{name!r} may name photos too, {_such(columns[name])}" for name in others]
    rest = {name: one for name, one in columns.items() if name not in [guess.keys.get("item_id"), *photos]}
    _category(guess, rest, rows)
    rest = {name: one for name, one in rest.items() if name not in _used(guess)}
    _take(guess, rest, "title", _as_title, _such)
    _prices(guess, rest, rows)
    _take(guess, rest, "group_id", _as_group, lambda one: f"{one.values} values in {len(rows)} rows, {_such(one)}")
    for key, fits in (("currency", _as_currency), ("availability", _as_stock), ("updated_at", _as_date)):
        _take(guess, rest, key, fits, _such)
    _deleted(guess, rest, rows)
    _attributes(guess, rest)
    _first_of_lists(guess, columns, rows)
    return guess


def _of_now(columns: Mapping[str, Profile], names: Iterable[str]) -> dict[str, Profile]:
    """Return the columns without the fields of a row as it was: streams of changes give it beside what it is now."""
    heads = {_head(name) for name in names}
    return {name: one for name, one in columns.items() if "." not in name or not _NOW.get(_head(name), set()) & heads}


def _head(name: str) -> str:
    return name.partition(".")[0].casefold().replace("_", "")


def _take(
    guess: Guess,
    columns: Mapping[str, Profile],
    key: str,
    fits: Callable[[Profile], float],
    why: Callable[[Profile], str],
) -> None:
    """Take the column whose name and cells together say most that it is what a key names; only ids need no name."""
    unnamed = _UNNAMED if key == "item_id" else 0.0
    used = [guess.keys.get("item_id"), guess.keys.get("group_id")]
    worth = {
        name: fits(one) * (said(name, key) or unnamed * (len(tokens(name)) < 3)) * (_NESTED if "." in name else 1)
        for name, one in columns.items()
        if name not in used
    }
    best = max(worth, key=worth.__getitem__, default=None)
    if best is not None and worth[best] > 0:
        guess.take(key, best, why(columns[best]))


def _of_shown(columns: Mapping[str, Profile], photos: Sequence[str], rows: Rows) -> dict[str, Profile]:
    """Return the columns that say something of rows with photos: what only rows of variants have is no item's id."""
    shown = [row for row in rows if has_text(row, photos)]
    least = _ID_FILLED * len(shown)
    return {
        name: one
        for name, one in columns.items()
        if not shown or sum(bool(texts_of(row.get(name))) for row in shown) >= least
    }


def _category(guess: Guess, columns: Mapping[str, Profile], rows: Rows) -> None:
    found = category_columns(columns, rows)
    if found.columns:
        guess.take("category", found.columns if len(found.columns) > 1 else found.columns[0], found.why)
    for key, (value, why) in found.settings.items():
        guess.take(key, value, why)
    guess.left_out += found.doubts


def _used(guess: Guess) -> set[str]:
    return {name for key, value in guess.keys.items() if key not in SETTINGS for name in listed(value)}


def _prices(guess: Guess, columns: Mapping[str, Profile], rows: Rows) -> None:
    used = [guess.keys.get("item_id"), guess.keys.get("title")]
    free = {name: one for name, one in columns.items() if name not in used}
    chosen, others = prices(free)
    if not chosen:
        chosen, others = unnamed_prices(free, rows)
    guess.left_out += [] if chosen else no_prices(free)
    if left := [*no_sales(chosen, free, rows)]:
        guess.left_out += left
        chosen = chosen[1:]
    if chosen:
        sale = "the sale's before the usual one, " if len(chosen) > 1 else ""
        besides = f"; not {', '.join(map(repr, others))}" if others else ""
        untaxed = "; without tax, by its name" if is_net(chosen[-1]) else ""
        why = f"{sale}{_such(columns[chosen[-1]])}{untaxed}{besides}"
        guess.take("price", chosen if len(chosen) > 1 else chosen[0], why)


def _deleted(guess: Guess, columns: Mapping[str, Profile], rows: Rows) -> None:
    used = _used(guess)
    photos = listed(guess.keys.get("photos"))
    gone = gone_columns({name: one for name, one in columns.items() if name not in used}, rows, photos)
    if gone.columns:
        guess.take("deleted", gone.columns if len(gone.columns) > 1 else gone.columns[0], gone.why)
        guess.settings |= gone.words
    guess.left_out += gone.doubts


def _first_of_lists(guess: Guess, columns: Mapping[str, Profile], rows: Rows) -> None:
    """Name the first of a list where the catalogue wants one text; of prices in several currencies the first one."""
    own = {key: name for key in _ONE_TEXT if isinstance(name := guess.keys.get(key), str) and columns[name].several}
    price, currency = guess.keys.get("price"), own.get("currency")
    if currency and isinstance(price, str) and list_holding(price, rows) == list_holding(currency, rows) != "":
        own["price"] = price
    for key, name in own.items():
        guess.keys[key] = first_of(name, rows)


def _attributes(guess: Guess, columns: Mapping[str, Profile]) -> None:
    found: dict[str, str] = {}
    used = _used(guess)
    beside = {name for name in columns if _BESIDE & {*tokens(name)[-1:]}}
    for name, one in sorted(columns.items(), key=lambda pair: pair[0] in beside):  # names before ids
        what = next(filter(None, map(ours, (name.split(".")[-1], *tokens(name)))), None)
        if what and name not in used and _is_attribute(one) and not ("." in name and name in beside):
            found.setdefault(what, name)
    if found:
        guess.take("attributes", found, ", ".join(f"{columns[name].example[:20]!r}" for name in found.values()))


def _is_attribute(one: Profile) -> bool:
    return one.filled >= 0.02 and one.length <= SHOWN and one.dates + one.pictures + one.several == 0


def _as_id(one: Profile) -> float:
    is_named = said(one.name, "item_id") > 0
    decimals = one.decimals - one.floats if is_named else one.decimals  # the reader tells what was lost of them
    if one.length > 64 or one.words > _ID_WORDS or max(one.pictures, one.addresses, decimals, one.markup) > 0.3:
        return 0.0
    if one.dates > 0.5 or one.filled < _ID_FILLED or one.several > 0 or (one.distinct < 0.5 and not is_named):
        return 0.0
    if one.values < 2 and one.distinct < 1 and one.floats < 1:
        return 0.0
    return one.distinct**2 * one.filled**0.5


def _as_title(one: Profile) -> float:
    fits = one.is_text and one.length <= 250 and one.values > 1
    return max(one.distinct, 0.05) * one.filled if fits else 0.0


def _as_group(one: Profile) -> float:
    shared = (
        one.filled >= 0.1 and one.values > 2 and one.distinct < 0.95 and one.length <= 64 and one.words <= _ID_WORDS
    )
    is_flag = one.flags > 0.9 or (one.numbers > 0.9 and one.values <= _FEW_GROUPS and one.distinct <= 1 / _FEW_GROUPS)
    return one.filled if shared and not is_flag and max(one.decimals, one.pictures, one.addresses) < 0.3 else 0.0


def _as_currency(one: Profile) -> float:
    return float(one.is_text and one.length <= 4 and one.values <= 20)


def _as_stock(one: Profile) -> float:
    if one.addresses > 0.9 and _OF_SCHEMA_ORG.match(one.example):
        return one.filled
    fits = one.length <= 30 and max(one.pictures, one.addresses, one.dates) < 0.1
    if SIGNS_OF_STOCK & {*tokens(one.name)}:  # which may say too whether a shop has an item at all
        fits = fits and availability_of(one.example) is not None
    return one.filled if fits else 0.0


def _as_date(one: Profile) -> float:
    return one.filled if one.dates >= 0.9 or (one.numbers >= 0.9 and 10 <= one.length <= 17) else 0.0


def _such(one: Profile) -> str:
    example = one.example if len(one.example) <= SHOWN else f"{one.example[: SHOWN - 1]}…"
    return f"such as {example!r}"
