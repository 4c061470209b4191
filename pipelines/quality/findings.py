"""The words of quality control: what a release shows that may be wrong, and what a curator could decide of it."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from pipelines.curated import Curated
from pipelines.curated.entries import BAD_PHOTO, CATEGORY, NOT_ALIKE, Decision
from pipelines.tables.taxonomy import leaf_value

LONELY, MISLABELLED, SAME_LOOK = KINDS = ("lonely", "mislabelled", "same_look")
TITLES: Final = {
    LONELY: "Nothing looks like these",
    MISLABELLED: "Probably of another category",
    SAME_LOOK: "Equal photos of unequal categories",
}
MEANINGS: Final = {
    LONELY: "The most similar item of each is less similar than that of any other: a bad photo, or one of a kind.",
    MISLABELLED: "Most of what looks like each stands in another category.",
    SAME_LOOK: "The same photo, or nearly, of two items in two categories: one of them is wrong, or the photo is.",
}

Path = tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """An item as it is shown: with one photo, its address and sha256 in hex ("" where it is not known any more)."""

    item_id: str
    category: Path = ()
    title: str = ""
    image_uri: str = ""
    digest: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as published."""
        return {**vars(self), "category": list(self.category)}


@dataclass(frozen=True)
class Action:
    """What a curator may decide of a finding, and how that is said."""

    decision: Decision
    says: str

    @property
    def words(self) -> tuple[str, ...]:
        """The words of `visual-search curate`, without the reason."""
        name, items = self.decision.action.replace("_", "-"), self.decision.item_ids
        if self.decision.action == CATEGORY:
            return (name, *items, leaf_value(self.decision.category))
        return (name, *items, *filter(None, [self.decision.image_uri]))

    def as_dict(self) -> dict[str, Any]:
        """Return it as published: what `POST /v1/curated` takes, beside a reason."""
        one = self.decision
        value = {"action": one.action, "item_ids": list(one.item_ids), "category": list(one.category)}
        return {"says": self.says, "decision": value | {"image_uri": one.image_uri}}


@dataclass(frozen=True)
class Finding:
    """What may be wrong with an item.

    `score` is, of a lonely one, the similarity of the most similar item; of a mislabelled one how sure that is, 0 to 1;
    of equal looks in how many of 64 bits they differ, 0 also for the very same photo. `other` is the most similar item
    (of a mislabelled one, of those in `category`), or the one with the same look. `share` of the similar items stands
    in `category`.
    """

    kind: str
    score: float
    item: Shown
    other: Shown
    category: Path = ()
    share: float = 0.0

    @property
    def is_same_photo(self) -> bool:
        """Whether both show the very same photo."""
        return bool(self.item.digest) and self.item.digest == self.other.digest

    @property
    def actions(self) -> tuple[Action, ...]:
        """What may be decided of it, the likeliest first."""
        return tuple(_actions(self))

    def is_decided(self, curated: Curated) -> bool:
        """Tell whether curators have decided of it since the release was made."""
        given = curated.categories
        pair = (min(self.item.item_id, self.other.item_id), max(self.item.item_id, self.other.item_id))
        if _is_bad(self.item, curated):
            return True
        if self.kind == MISLABELLED:
            return self.item.item_id in given
        if self.kind == LONELY:
            return pair in curated.apart.items
        both = self.item.item_id in given or self.other.item_id in given
        return both or pair in curated.apart.items or _is_bad(self.other, curated)

    def as_dict(self) -> dict[str, Any]:
        """Return it as published."""
        value = {"kind": self.kind, "score": round(self.score, 6), "item": self.item.as_dict()}
        value |= {"other": self.other.as_dict()}
        if self.kind == MISLABELLED:
            value |= {"category": list(self.category), "share": round(self.share, 4)}
        return value | {"actions": [action.as_dict() for action in self.actions]}


@dataclass(frozen=True)
class Weakest:
    """The weakest matches of a release, the weakest of each kind first, and what is to be said of the search for them.

    `of` counts the items that were looked at.
    """

    release_id: str
    of: int
    findings: dict[str, list[Finding]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def undecided(self, curated: Curated, limit: int, hidden: Set[str] = frozenset()) -> Weakest:
        """Return those of which nobody has decided, up to a limit of each kind, and of no `hidden` item."""

        def is_left(one: Finding) -> bool:
            return not (one.is_decided(curated) or {one.item.item_id, one.other.item_id} & hidden)

        left = {kind: list(islice(filter(is_left, found), limit)) for kind, found in self.findings.items()}
        return replace(self, findings=left)


def _is_bad(shown: Shown, curated: Curated) -> bool:
    bad = curated.bad_photos
    if (shown.item_id, shown.image_uri) in bad.named:
        return True
    digest = bytes.fromhex(shown.digest)
    return bool(digest) and (digest in bad.digests or (shown.item_id, digest) in bad.of_items)


def _actions(finding: Finding) -> Iterator[Action]:
    item, other = finding.item, finding.other
    if finding.kind == LONELY:
        yield _bad(item)
        yield _not_alike(item, other)
    elif finding.kind == MISLABELLED:
        yield _category(item, finding.category)
        yield Action(Decision(CATEGORY, (item.item_id,), item.category), f"{leaf_value(item.category)} is right")
        yield _not_alike(item, other)
        yield _bad(item)
    else:
        yield _category(item, other.category)
        yield _category(other, item.category)
        yield _not_alike(item, other)
        yield _bad(item)
        yield _bad(other)


def _category(item: Shown, path: Path) -> Action:
    return Action(Decision(CATEGORY, (item.item_id,), path), f"{item.item_id} is of {leaf_value(path)}")


def _not_alike(item: Shown, other: Shown) -> Action:
    one, two = sorted((item.item_id, other.item_id))
    return Action(Decision(NOT_ALIKE, (one, two)), "not alike")


def _bad(item: Shown) -> Action:
    decision = Decision(BAD_PHOTO, (item.item_id,), image_uri=item.image_uri)
    return Action(decision, f"the photo of {item.item_id} is bad")
