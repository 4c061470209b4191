"""Which columns say that items are gone or not for sale, and by which words. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.catalogue.deletion import ZERO_DATE
from pipelines.config.words import ANY, DELETED, NONE, NOT_DELETED
from pipelines.survey.draft.names import is_unspaced, said, tokens
from pipelines.survey.draft.profile import Profile, has_text, is_date, text_of
from pipelines.survey.draft.state_words import (
    GONE,
    LIVE,
    NO,
    OF_ELSE,
    SIGNS_OF_GONE,
    SIGNS_OF_LIVE,
    SIGNS_OF_STATUS,
    SIGNS_OF_STOCK,
    WHEN,
    YES,
)

_MOST_GONE = 0.5
"""Of the rows, by a column that does not say outright that it is about what was deleted."""
_SHOWN = 6
_KEYS = ("deleted_words", "not_deleted_words")
_DATES, _LONGEST = 0.9, 30
_OUTRIGHT, _SINCE, _BY_STATUS, _BY_SIGN, _UNTIL = 5.0, 4.0, 3.0, 2.0, 1.0
"""How plainly a column says it: deleted, deleted_at, status, active, published_at."""
_MOST_STAGES = 10
"""The most words of a column that says at what stage an item is."""
_OF_ELSE_TOO = frozenset({"state", "zustand", "etat", "estado", "stato", "toestand", "stav"})
"""Signs of a status that may be of a region, or of a condition such as new and used."""
_OFTEN_GONE, _OFTEN_LIVE = frozenset({"archived", "draft", "inactive"}), frozenset({"active", "published"})
_OFTEN_NO = frozenset({"0", "0.0", "false", "f", "no", "n"})
_OFTEN_YES = frozenset({"1", "1.0", "true", "t", "yes", "y"})
"""Words that the next export may have, though this one has not."""


@dataclass(frozen=True)
class Saying:
    """What a column says of items by which words; `weight` is less where its name says it less plainly."""

    name: str
    counts: Counter[str]
    gone: frozenset[str]
    live: frozenset[str]
    weight: float = 0.0

    @property
    def shown(self) -> str:
        """Its words with their numbers."""
        return ", ".join(f"{word or 'empty'} ({count})" for word, count in self.counts.most_common()[:_SHOWN])


@dataclass
class Gone:
    """Columns that are to be mapped, their words as keys of [catalogue], and what may say it too but cannot be."""

    sayings: list[Saying] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        """The columns."""
        return [one.name for one in self.sayings]

    @property
    def why(self) -> str:
        """What they say."""
        several = len(self.sayings) > 1
        return "; ".join(f"{one.name}: {one.shown}" if several else one.shown for one in self.sayings)

    @property
    def words(self) -> dict[str, Any]:
        """Keys of [catalogue] that are not as they are by default."""
        gone, live = ({one.name: {*getattr(one, key)} for one in self.sayings} for key in ("gone", "live"))
        keys = keys_of_words(gone, live)
        is_usual = isinstance(keys["deleted_words"], list) and (
            {*keys["deleted_words"]} <= {*DELETED} and {*keys["not_deleted_words"]} <= {*NOT_DELETED}
        )
        return {} if is_usual else keys


def keys_of_words(gone: Mapping[str, set[str]], live: Mapping[str, set[str]]) -> dict[str, Any]:
    """Return the keys that say which words of some columns mean gone, and which do not: those of all in one list.

    Where a word means one thing in one column and the other in another, each column has a list of its own.
    """
    columns = [gone[name] | live[name] for name in gone]
    has_any = len(columns) > 1 and any({ANY, NONE} & words for words in columns)
    every = set[str]().union(*gone.values()), set[str]().union(*live.values())
    if has_any or every[0] & every[1]:
        by_column = [{name: sorted(words) for name, words in of.items()} for of in (gone, live)]
        return dict(zip(_KEYS, by_column, strict=True))
    return dict(zip(_KEYS, map(sorted, every), strict=True))


def gone_columns(columns: Mapping[str, Profile], rows: Sequence[Mapping[str, Any]], photos: Sequence[str]) -> Gone:
    """Return which of some columns say that items are gone."""
    found = Gone()
    sayings = [*_sayings(columns, rows, photos)]
    for one in sorted(sayings, key=lambda one: -one.weight):
        if one.weight > 0:
            found.sayings.append(one)
        else:
            found.doubts.append(f"{one.name!r} may say that items are gone: {one.shown}")
    return found


def _sayings(
    columns: Mapping[str, Profile], rows: Sequence[Mapping[str, Any]], photos: Sequence[str]
) -> Iterator[Saying]:
    signs = SIGNS_OF_GONE | SIGNS_OF_LIVE | SIGNS_OF_STATUS | SIGNS_OF_STOCK
    for name, one in columns.items():
        whole = "".join(tokens(name))
        words = {*tokens(name), whole} | {sign for sign in signs if is_unspaced(sign) and sign in whole}
        if words & OF_ELSE or not (words & signs or said(name, "deleted")):
            continue
        counts = Counter(_word(row, name) for row in rows)
        dates = sum(count for word, count in counts.items() if is_date(word))
        if dates >= _DATES * (len(rows) - counts[NONE]):
            yield from _by_date(name, words, rows, photos)
        elif one.several == 0 and one.length <= _LONGEST:
            words_of = Counter(word.casefold() for word in counts.elements() if word)
            empty = sum(_word(row, name) == NONE and has_text(row, photos) for row in rows)
            yield from _by_word(name, words, words_of, len(rows), empty)


def _word(row: Mapping[str, Any], name: str) -> str:
    """Return what a cell says, "" where it says nothing, as the catalogue takes it."""
    text = text_of(row.get(name))
    return NONE if text.startswith(ZERO_DATE) else text


def _by_date(name: str, words: set[str], rows: Sequence[Mapping[str, Any]], photos: Sequence[str]) -> Iterator[Saying]:
    """Yield what a moment says: since when an item is gone, or live, where that is not empty for some with photos."""
    empty = [row for row in rows if _word(row, name) == NONE]
    if not words & WHEN or not empty:
        return
    counts = Counter({"dates": len(rows) - len(empty), NONE: len(empty)})
    if words & SIGNS_OF_GONE or said(name, "deleted"):
        yield Saying(name, counts, frozenset({ANY}), frozenset(), _SINCE)
    elif words & SIGNS_OF_LIVE:
        are_items = all(has_text(row, photos) for row in empty)
        is_sure = are_items and len(empty) <= _MOST_GONE * len(rows)
        yield Saying(name, counts, frozenset({NONE}), frozenset({ANY}), _UNTIL * is_sure)


def _by_word(name: str, words: set[str], counts: Counter[str], rows: int, empty: int) -> Iterator[Saying]:
    """Yield what words say; `empty` is the number of rows with a photo and without a word."""
    is_deleted = bool(said(name, "deleted"))
    told = {*counts}
    gone, live = _meaning(words, told, is_deleted=is_deleted)
    number = sum(count for word, count in counts.items() if word in gone)
    if empty and told <= YES and words & (SIGNS_OF_LIVE | SIGNS_OF_STATUS):  # an empty cell may be a no
        yield Saying(name, counts + Counter({NONE: empty}), gone, live)
    elif told <= gone | live:
        plain = _OUTRIGHT if is_deleted else _BY_STATUS if words & SIGNS_OF_STATUS else _BY_SIGN
        is_sure = is_deleted or number <= _MOST_GONE * rows
        yield Saying(name, counts, gone, live, plain * is_sure)
    elif told & GONE or (told <= YES | NO and told & NO) or _may_say(words, told):
        yield Saying(name, counts, gone, live)


def _may_say(words: set[str], told: set[str]) -> bool:
    """Tell whether words that are not known may be those of two stages: of a plain name any, of others codes."""
    are_few, are_known = 1 < len(told) <= _MOST_STAGES, told <= LIVE
    is_plain = bool(words & ((SIGNS_OF_GONE | SIGNS_OF_LIVE | SIGNS_OF_STATUS | SIGNS_OF_STOCK) - _OF_ELSE_TOO))
    return are_few and not are_known and (is_plain or all(len(word) == 1 or word.isdecimal() for word in told))


def _meaning(words: set[str], told: set[str], *, is_deleted: bool) -> tuple[frozenset[str], frozenset[str]]:
    """Return which words of a column mean gone and live: yes and no by its name, others by themselves."""
    if not told <= YES | NO:
        return (GONE & told) | _OFTEN_GONE, (LIVE & told) | _OFTEN_LIVE
    if is_deleted or words & SIGNS_OF_GONE:
        return frozenset(DELETED) | (told & YES), frozenset(NOT_DELETED) | (told & NO)
    if words & SIGNS_OF_LIVE:
        return _OFTEN_NO | (told & NO), _OFTEN_YES | (told & YES)
    return frozenset(), frozenset()
