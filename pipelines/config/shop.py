"""What the shop gives: its feeds, its photos, and where the store of what is made of them lies."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pipelines.config.base import Section, Share
from pipelines.config.formats import SETTINGS, Format, preset, with_preset
from pipelines.config.places import Place, Source
from pipelines.config.words import DELETED, NO_VALUE, NOT_DELETED

Split = Literal["train", "val", "test"]
OUR_SPLITS: dict[str, Split] = {"train": "train", "val": "val", "test": "test"}
_DAY = datetime(2026, 11, 28, 13, 14, 15, tzinfo=UTC)
_IN_WORDS = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "pipe": "|", "space": " "}


def words_of(words: Words, column: str, usual: Sequence[str]) -> list[str]:
    """Return the words of one column, the usual ones where those of others are named alone."""
    return words.get(column, [*usual]) if isinstance(words, dict) else words


def listed(names: str | list[str] | None) -> list[str]:
    """Return the columns that a key names: one, several, or none."""
    return [names] if isinstance(names, str) else names or []


class StoreSection(Section):
    """Where the store is, and its number of hash buckets, fixed when it is created."""

    uri: Place
    buckets: Annotated[int, Field(gt=0, le=4096)] = 16


class Columns(Section):
    """Which columns of the shop's feed hold what; names are the shop's own."""

    item_id: str
    photos: str | list[str] = Field(description="one column, or numbered columns")
    photo_separator: str | None = Field(None, description="splits a cell with several photos, such as 'a.jpg|b.jpg'")
    category: str | list[str] = Field(description="one column with a separated path, or one column a level")
    category_separator: str = ">"
    category_path_separator: str | None = Field(None, description="splits a cell with several paths, such as ','")
    category_choice: Literal["first", "deepest"] = Field("first", description="which of several paths counts")
    category_depths: bool = Field(False, description="the first level is the number of the others, as in Solr's 1/A/B")
    category_fallbacks: list[str] = Field(default_factory=list, description="columns of a path where category has none")
    title: str | None = None
    group_id: str | None = None
    price: str | list[str] | None = Field(None, description="one column, or several: the first that says one")
    currency: str | None = Field(None, description="of prices that do not name theirs")
    updated_at: str | None = None
    availability: str | list[str] | None = Field(None, description="one column, or several: the first that says it")
    role: str | None = None
    split: str | None = None
    deleted: str | list[str] | None = Field(None, description="a word of deleted_words in one: the item is gone")
    continues: str | None = Field(None, description="rows with the value of the one before leave out what that says")
    attributes: dict[str, str] = Field(default_factory=dict, description="our name -> the feed's column")
    signals: dict[str, str] = Field(default_factory=dict, description="our name -> the feed's numeric column")

    @property
    def photo_columns(self) -> list[str]:
        """The columns that name photos."""
        return listed(self.photos)

    @property
    def category_columns(self) -> list[str]:
        """The columns that name the category, a fallback too."""
        return [*listed(self.category), *self.category_fallbacks]

    @property
    def names(self) -> dict[str, str]:
        """The feed's columns that are read: {column: the key that names it}."""
        wanted: dict[str, str] = {}
        for key, value in self.model_dump(exclude=set(SETTINGS)).items():
            if isinstance(value, dict):
                wanted.update({name: f"{key}.{ours}" for ours, name in value.items()})
            else:
                wanted.update(dict.fromkeys(listed(value), key))
        return wanted


class MediaColumns(Section):
    """Which columns of a separate table of photos hold what."""

    item_id: str
    photo: str
    role: str | None = None
    split: str | None = None
    box: list[str] | None = Field(None, description="four columns: left, top, right, bottom in pixels")

    @field_validator("box")
    @classmethod
    def _has_four_sides(cls, box: list[str] | None) -> list[str] | None:
        if box is not None and len(box) != 4:
            raise ValueError(f"{len(box)} columns; name four: left, top, right and bottom, in this order")
        return box


class Media(Section):
    """More photos of the same items, in a table of their own (street photos, reviews)."""

    path: Source
    role: str = "street"
    columns: MediaColumns


class RoleRule(Section):
    """Which photos have a role, of those whose rows do not name one: all that is set must fit."""

    role: str
    name: str | None = Field(None, description="glob of a path, or of its last part, in any case")
    pattern: str | None = Field(None, description="regular expression within a path, in any case")
    position: int | None = Field(None, description="place among the photos of its item: 1 is the first, -1 the last")

    @field_validator("pattern")
    @classmethod
    def _is_regular(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}; write 'name' for a glob such as '*_size*'") from error
        return pattern

    @field_validator("position")
    @classmethod
    def _counts_from_one(cls, position: int | None) -> int | None:
        if position == 0:
            raise ValueError("is no place; the first photo is 1, the last one -1")
        return position


Words = list[str] | dict[str, list[str]]
"""Words of all columns, or of each."""


class CatalogueSection(Section):
    """What feeds to read, how their columns map to ours, and when a snapshot is refused."""

    format: Format | None = Field(None, description="whose export the feed is; it brings all keys that are not set")
    snapshot: Source | None = Field(
        None, description="path, gs:// URI, https:// address or glob of full lists: CSV, JSON, XML, Parquet"
    )
    snapshot_files: Literal["all", "newest"] | None = Field(None, description="which of several files are the snapshot")
    deltas: Source | None = Field(
        None, description="path, gs:// URI, https:// address or glob of upsert/delete files, read in name order"
    )
    delimiter: str = ","
    quote: str = Field('"', description="around cells of CSV; empty where quotes are text")
    escape: str | None = Field(None, description="before a character that counts as it is, as a backslash of MySQL")
    skip_lines: Annotated[int, Field(ge=0, description="lines above the header of CSV, such as a title")] = 0
    encoding: str = Field("utf-8", description="of text feeds that do not begin with a byte order mark")
    photo_prefix: str | None = Field(None, description="what the feed writes before paths below photo_root: left out")
    photo_pattern: str | None = Field(
        None, description="what the text of a photo's cell stands in, at '{}': 'photos/{}.jpg' of item numbers"
    )
    photo_root: Source = Field(
        ".", description="folder, or gs:// or https:// address of one, that relative photo paths start from"
    )
    allowed_roots: list[Source] = Field(
        default_factory=list, description="more folders or URIs of clouds to take photos from"
    )
    category_aliases: Place | None = Field(None, description="sheet of renamed, merged and split categories")
    corrections: Place | None = Field(None, description="sheet of what items are, whatever the feeds say")
    default_role: str = "main"
    drop_roles: list[str] = Field(default_factory=list, description="photos of these do not get into the catalogue")
    split_names: dict[str, Split] = Field(default_factory=lambda: dict(OUR_SPLITS))
    decimal_mark: Literal[".", ","] | None = Field(None, description="of numbers that are texts; unset is '.'")
    date_format: str | None = Field(None, description="of dates that are neither ISO 8601 nor counts, for strptime")
    out_of_stock: Literal["keep", "flag", "remove"] = Field("keep", description="what becomes of such items")
    no_value: list[str] = Field(default_factory=lambda: list(NO_VALUE), description="words that mean an empty cell")
    deleted_words: Words = Field(
        default_factory=lambda: list(DELETED), description="'' is an empty cell, '*' every word that is not named"
    )
    not_deleted_words: Words = Field(
        default_factory=lambda: list(NOT_DELETED), description="'*' is every word that is not named"
    )
    columns: Columns
    media: Media | None = None
    roles: list[RoleRule] = Field(default_factory=list, description="of which the first that fits a photo counts")
    max_removed_share: Share = 0.3
    max_rejected_share: Share = 0.1

    @model_validator(mode="before")
    @classmethod
    def _is_of_a_format(cls, keys: Any) -> Any:
        return with_preset(keys) if isinstance(keys, dict) else keys

    @property
    def brought(self) -> frozenset[str]:
        """The columns that its format names."""
        return preset(self.format).columns if self.format else frozenset()

    @field_validator("delimiter")
    @classmethod
    def _parts_cells(cls, mark: str) -> str:
        if len(mark) != 1 or mark in '"\r\n':
            meant = _IN_WORDS.get(mark.strip().lower())
            fix = f": write {json.dumps(meant)}" if meant else ", such as ',', ';' or '\\t'"
            raise ValueError(f"must be one character{fix}")
        return mark

    @field_validator("quote", "escape")
    @classmethod
    def _marks_text(cls, mark: str | None) -> str | None:
        if mark and (len(mark) != 1 or mark in "\r\n"):
            raise ValueError("must be one character, or the key be removed; quote = '' where quotes are text")
        return mark

    @model_validator(mode="after")
    def _has_different_marks(self) -> CatalogueSection:
        marks = [(key, getattr(self, key)) for key in ("delimiter", "quote", "escape")]
        for (one, mark), (other, same) in combinations(marks, 2):
            if mark and mark == same:
                raise ValueError(f"{one} and {other} are both {mark!r}; a character can be one of them only")
        return self

    @field_validator("photo_pattern")
    @classmethod
    def _has_one_place(cls, pattern: str | None) -> str | None:
        if pattern is not None and (pattern.count("{}") != 1 or pattern.strip() == "{}"):
            raise ValueError("must hold '{}' once, and something beside it, as '{}.jpg'")
        return pattern

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError as error:
            raise ValueError("is no encoding of text; write 'utf-8', 'cp1252', 'utf-16-le' or the like") from error
        return encoding

    @field_validator("date_format")
    @classmethod
    def _names_a_day(cls, form: str | None) -> str | None:
        try:
            named = form is None or datetime.strptime(_DAY.strftime(form), form).date() == _DAY.date()  # noqa: DTZ007
        except ValueError:
            named = False
        if not named:
            raise ValueError("does not name a day; write '%d.%m.%Y', '%m/%d/%Y %H:%M' or the like")
        return form

    @field_validator("no_value")
    @classmethod
    def _as_cells_are(cls, words: list[str]) -> list[str]:
        return [word.strip() for word in words]

    @field_validator("deleted_words", "not_deleted_words")
    @classmethod
    def _without_case(cls, words: Words) -> Words:
        if isinstance(words, dict):
            return {column: [word.strip().casefold() for word in of] for column, of in words.items()}
        return [word.strip().casefold() for word in words]

    @model_validator(mode="after")
    def _says_one_thing(self) -> CatalogueSection:
        columns = listed(self.columns.deleted)
        for key in ("deleted_words", "not_deleted_words"):
            words = getattr(self, key)
            unknown = sorted(words.keys() - {*columns}) if isinstance(words, dict) else []
            if unknown:
                raise ValueError(f"{key} has words of {unknown[0]!r}, which columns.deleted does not name")
        for column in columns or [""]:
            both = sorted({*self.gone_words(column)} & {*self.live_words(column)})
            if both:
                raise ValueError(f"the word {both[0]!r} stands in deleted_words and in not_deleted_words; keep one")
        return self

    def gone_words(self, column: str) -> list[str]:
        """Return what a column of `columns.deleted` says of an item that is gone."""
        return words_of(self.deleted_words, column, DELETED)

    def live_words(self, column: str) -> list[str]:
        """Return what a column of `columns.deleted` says of other items."""
        return words_of(self.not_deleted_words, column, NOT_DELETED)

    @model_validator(mode="after")
    def _names_photos(self) -> CatalogueSection:
        if not (self.columns.photo_columns or self.media):
            raise ValueError("names no photos; set 'columns.photos' or 'media'")
        return self

    @model_validator(mode="after")
    def _has_a_feed(self) -> CatalogueSection:
        if not (self.snapshot or self.deltas):
            raise ValueError("names no feed; set 'snapshot' or 'deltas'")
        return self
