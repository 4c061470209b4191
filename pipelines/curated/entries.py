"""The curators' log, `curated/<n>.json`: one decision an entry, or the undoing of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from pipelines.store import StoreError

PREFIX: Final = "curated"
NOT_ALIKE, CATEGORY, BAD_PHOTO, UNDO = ACTIONS = ("not_alike", "category", "bad_photo", "undo")
SHA256: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Decision:
    """What a curator says, without why and when. What an action has no use for is empty.

    An erasure takes ids and digests out of the log: what then lacks something says nothing any more.

    `not_alike`: two `item_ids`, sorted, or one and a photo's `digest`. `category`: an item, and its path from the top.
    `bad_photo`: an item and its photo's `image_uri` and `digest`, or a digest alone, of whatever items show it. `undo`:
    the number of the decision that it `undoes`. Digests are sha256 in hex.
    """

    action: str
    item_ids: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    image_uri: str = ""
    digest: str = ""
    undoes: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether it says what its action needs."""
        items, has_photo = len(self.item_ids), bool(SHA256.fullmatch(self.digest))
        if self.digest and not has_photo:
            return False
        return {
            NOT_ALIKE: items == (1 if has_photo else 2),
            CATEGORY: items == 1 and bool(self.category),
            BAD_PHOTO: bool(self.image_uri) if items == 1 else not items and has_photo and not self.image_uri,
            UNDO: self.undoes > 0,
        }[self.action]


@dataclass(frozen=True)
class Entry:
    """A decision as it stands in the log; `at` is ISO 8601 in UTC, `by` user@host, or the name of a service's key."""

    decision: Decision
    reason: str
    at: str
    by: str

    def as_json(self) -> dict[str, Any]:
        """Return the entry as it stands in the log; what is empty is left out."""
        said = {name: value for name, value in asdict(self.decision).items() if value}
        return said | {"reason": self.reason, "at": self.at, "by": self.by}

    @classmethod
    def of_json(cls, value: Mapping[str, Any], where: str) -> Self:
        """Read what the log holds. Raises StoreError for what no curator's command has written."""
        texts = {name: value.get(name, "") for name in ("action", "image_uri", "digest", "reason", "at", "by")}
        lists = {name: value.get(name, []) for name in ("item_ids", "category")}
        undoes = value.get("undoes", 0)
        good = all(isinstance(part, list | tuple) for part in lists.values()) and type(undoes) is int
        if good and all(isinstance(text, str) for text in (*texts.values(), *lists["item_ids"], *lists["category"])):
            reason, at, by = (texts.pop(name) for name in ("reason", "at", "by"))
            decision = Decision(
                item_ids=tuple(lists["item_ids"]), category=tuple(lists["category"]), undoes=undoes, **texts
            )
            if decision.action in ACTIONS:
                return cls(decision, reason, at, by)
        raise StoreError(f"{where} is no entry of the curators' log: {str(dict(value))[:200]}; restore it")
