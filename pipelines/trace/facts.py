"""The words of a trace: what each step knows of an item and of its photos, and what that comes to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from pipelines.neighbours.query.standing import Standing

FEED, CATALOGUE, PREPROCESS, EMBED, INDEX, RELEASE, QUERY = STEPS = (
    "feed",
    "catalogue",
    "preprocess",
    "embed",
    "index",
    "release",
    "query",
)
"""Where an item may fall out, in the order in which it passes."""
FOUND: Final = "found"
SHOWN, WAITING, DELETED, REJECTED, UNKNOWN = "shown", "waiting", "deleted", "rejected", "unknown"
"""What a catalogue may hold of an item."""


@dataclass(frozen=True)
class Verdict:
    """What a trace comes to: the step, a code for programs, a sentence for people, and what to do.

    The code of a reject is that of its stage; `FOUND` where searches find the item.
    """

    step: str
    reason: str
    sentence: str
    fix: str = ""

    @property
    def is_found(self) -> bool:
        """Whether searches find the item."""
        return self.reason == FOUND


@dataclass(frozen=True)
class Row:
    """A row of a feed that is about the item, as the file is now.

    `file` tells how the file stands to the newest catalogue: `read`, `changed` since it was read, `new` since, or
    `passed_over`. A row that is rejected has a `code`. One that is `out_of_stock` is `deleted` by that alone.
    """

    source: str
    feed: str
    file: str
    code: str = ""
    detail: str = ""
    image_uri: str = ""
    deleted: bool = False
    updated_at: str = ""
    photos: tuple[str, ...] = ()
    out_of_stock: bool = False

    @property
    def says_gone(self) -> str:
        """In words why a row's item is gone, "" of one that is not."""
        return "is out of stock" if self.out_of_stock else "is gone" if self.deleted else ""


@dataclass(frozen=True)
class Rejection:
    """A row that a catalogue has rejected: where it stood, the photo it was about, if one, and why."""

    source: str
    code: str
    detail: str
    image_uri: str
    catalogue: int


@dataclass(frozen=True)
class Laid:
    """What is shown otherwise than the row `said` it: the category or an attribute, by a key of the config.

    `place` is the sheet and line of a correction, "" where the sheet does not name the item any more, or the number of
    a curator's decision.
    """

    what: str
    by: str
    place: str
    said: str


@dataclass(frozen=True)
class Catalogued:
    """What a catalogue holds of an item: `state` is shown, waiting (for a photo), deleted, rejected or unknown.

    `feed` says whose row it is, or which feed deleted it, "" where an older catalogue does not tell.
    `laid` is what the shop's own sheets and curators say above it.
    """

    state: str
    feed: str = ""
    at: str = ""
    category: tuple[str, ...] = ()
    title: str = ""
    price: float | None = None
    currency: str = ""
    group_id: str = ""
    rejects: tuple[Rejection, ...] = ()
    laid: tuple[Laid, ...] = ()


@dataclass(frozen=True)
class Fetched:
    """What was learned when a photo was last asked for, `at` a time; of a file its size and time are the `fingerprint`.

    `came_at` is when the photo that is used came, "" where none is, or where that is not known any more. `said` is the
    code and cause of an answer that held no photo.
    """

    at: str
    code: str
    fingerprint: str
    unit_id: str
    etag: str = ""
    modified: str = ""
    failed: str = ""
    missing_since: str = ""
    unchanged: bool = False
    said: str = ""
    came_at: str = ""

    @property
    def has_come(self) -> bool:
        """Whether the last answer was the photo itself."""
        return bool(self.at) and self.at == self.came_at


@dataclass(frozen=True)
class Vector:
    """Where the vector of a photo is, or why it has none; `leaves` are those that the model takes it for, the best."""

    model_id: str
    unit_id: str
    row: int
    code: str
    leaves: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class PhotoTrace:
    """One photo of the item. What a run has not done of it is None.

    `code` is its reject code, `meaning` what that means here. `same` are other items of the gallery with the very
    photo, `alike` others with one that looks the same, where that was asked for.
    """

    image_uri: str
    role: str
    position: int
    verdict: Verdict
    address: str | None = None
    code: str | None = None
    meaning: str = ""
    fetched: Fetched | None = None
    digest: str | None = None
    phash: str | None = None
    prep_id: str | None = None
    image_unit: str | None = None
    image_row: int | None = None
    split: str | None = None
    group: str | None = None
    vector: Vector | None = None
    in_index: bool | None = None
    same: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leaf:
    """The item's leaf, as a plan that goes by categories sees it.

    One that the model has not `learned` is looked in by every query, others where they are probable enough.
    """

    value: str
    slot: int | None
    learned: bool | None


@dataclass(frozen=True)
class Trail:
    """An item's way through one run: of a release, or of the newest run, which made none that is live."""

    run_id: str
    release_id: str
    is_live: bool
    catalogue: int
    catalogued: Catalogued
    leaf: Leaf | None
    photos: tuple[PhotoTrace, ...]
    verdict: Verdict


@dataclass(frozen=True)
class QueryTrace:
    """One search that was to find the item: `code` and `detail` say why it was not asked, or could not be.

    `categories` are the names of the leaves scanned, the best first; None where the plan goes by none.
    """

    photo: str
    results: int
    code: str = ""
    detail: str = ""
    standing: Standing | None = None
    leaf: str = ""
    categories: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Trace:
    """All that is known of an item. `since` is what the newest run makes of it, where that is another thing.

    `changes` say what that run has otherwise, such as another photo or price, of an item that both show.
    `near` are ids that are there and that it may have meant; `notes` say what could not be looked at.
    """

    item_id: str
    verdict: Verdict
    rows: tuple[Row, ...] = ()
    trail: Trail | None = None
    since: Trail | None = None
    changes: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    query: QueryTrace | None = None
    store: str = ""

    @property
    def is_known(self) -> bool:
        """Whether any feed or catalogue has ever named the item, as far as is kept."""
        trails = [trail for trail in (self.trail, self.since) if trail]
        return bool(self.rows) or any(trail.catalogued.state != UNKNOWN for trail in trails)

    def as_dict(self) -> dict[str, Any]:
        """Return the trace as published."""
        return {**asdict(self), "known": self.is_known, "found": self.verdict.is_found}
