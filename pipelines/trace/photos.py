"""What became of each photo of an item in one run, and at which step it fell out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.preprocess.groups import LOOK, PHOTO
from pipelines.preprocess.meanings import MEANINGS, PLACEHOLDER
from pipelines.preprocess.prepare import Preparer
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.shop_files.fetch import Fetcher
from pipelines.shop_files.web.identity import Identity
from pipelines.store import NotFoundError, Store, StoreError
from pipelines.tables.schemas import RESOLVED_PHOTOS
from pipelines.trace import reasons
from pipelines.trace.catalogued import photos_of, rows_of_item
from pipelines.trace.facts import EMBED, INDEX, PREPROCESS, Fetched, PhotoTrace, Vector, Verdict
from pipelines.trace.gallery import Gallery
from pipelines.trace.scope import Scope
from pipelines.trace.sources import last_fetched

MOST_SAME: Final = 20
"""Of other items with the same photo, that are named."""
NOT_FETCHED: Mapping[str, str] = {
    "not_fetched": "the run has no outcome of it; start a new one",
    "not_prepared": "the run has not prepared it; start a new one",
}


@dataclass(frozen=True)
class Photos:
    """The photos of items in a scope; `look_alike` asks for those of other items that look the same."""

    config: Config
    store: Store
    scope: Scope
    gallery: Gallery
    buckets: int
    look_alike: bool = False

    def of_item(self, item_id: str) -> tuple[PhotoTrace, ...]:
        """Return what became of an item's photos."""
        if self.scope.photos is None:
            return self._unresolved(photos_of(self.store, self.scope, item_id, self.buckets))
        rows = rows_of_item(self.store, self.scope.photos, item_id, self.buckets, RESOLVED_PHOTOS)
        uris, identity = [row["image_uri"] for row in rows], Identity.of_config(self.config)
        fetched = last_fetched(self.store, uris, self.scope.fetched_until, identity)
        hashes = {row["image_uri"]: row["phash"] for row in rows if row["phash"] and self.look_alike}
        alike = self.gallery.alike(item_id, hashes) if hashes else {}
        holds = self.gallery.holds(item_id)
        return tuple(
            self._resolved(row, holds, fetched=fetched.get(row["image_uri"]), alike=alike.get(row["image_uri"], ()))
            for row in rows
        )

    def _unresolved(self, rows: Sequence[Mapping[str, Any]]) -> tuple[PhotoTrace, ...]:
        """Return photos as the catalogue names them, of which the run has made nothing yet."""
        verdict = reasons.not_done(PREPROCESS, self.scope)
        uris, identity = [row["image_uri"] for row in rows], Identity.of_config(self.config)
        fetched = last_fetched(self.store, uris, identity=identity)
        return tuple(
            PhotoTrace(uri, row["role"], row["position"], verdict, self._fetcher.address(uri), fetched=fetched.get(uri))
            for row in rows
            for uri in (row["image_uri"],)
        )

    def _resolved(self, row: Mapping[str, Any], holds: bool | None, **known: Any) -> PhotoTrace:
        uri, code, digest = row["image_uri"], row["code"], row["digest"]
        meaning = self._meaning(row, known.get("fetched")) if code else ""
        links = self.gallery.links(digest) if digest and not code else None
        vector = self.gallery.vector(digest) if digest and not code else None
        is_there = self._is_in_index(row, holds, links, vector)
        same = sorted({link["item_id"] for link in links or ()} - {row["item_id"]})
        outputs = self.scope.outputs(PreprocessOutputs)
        prepared = {name: row[name] for name in ("image_unit", "image_row")} if _is_prepared(row) else {}
        return PhotoTrace(
            uri,
            row["role"],
            row["position"],
            self._verdict(row, meaning, vector, is_there),
            self._fetcher.address(uri),
            code,
            meaning,
            digest=_hex(digest),
            phash=_hex(row["phash"]),
            group=_hex(row["group"]),
            split=row["split"],
            prep_id=outputs.prep_id if outputs and prepared else None,
            vector=vector,
            in_index=is_there,
            same=tuple(same[:MOST_SAME]),
            **prepared,
            **known,
        )

    def _verdict(self, row: Mapping[str, Any], meaning: str, vector: Vector | None, is_there: bool | None) -> Verdict:
        roles = self.config.index.roles
        if is_there:
            return reasons.PASSED
        if row["role"] not in roles:
            return reasons.other_role(row["role"], roles)
        if row["code"]:
            is_far = self._fetcher.address(row["image_uri"]) is not None
            return reasons.rejected_photo(row["code"], meaning, self.config, is_far=is_far)
        if vector is None:
            return reasons.not_done(EMBED, self.scope)
        if vector.code:
            return reasons.without_vector(vector)
        if is_there is None:
            return reasons.not_done(INDEX, self.scope)
        return reasons.not_in_index(self.scope.index_id or "")

    def _is_in_index(
        self,
        row: Mapping[str, Any],
        holds: bool | None,
        links: Sequence[Mapping[str, Any]] | None,
        vector: Vector | None,
    ) -> bool | None:
        """Tell whether a photo is in the index; None where there is none.

        Where what was gathered is gone, a photo that has all that the gallery asks for is, if its item is.
        """
        if not holds:
            return holds
        if links is None:
            return not row["code"] and row["role"] in self.config.index.roles and bool(vector and not vector.code)
        mine = (row["item_id"], row["image_uri"])
        return any((link["item_id"], link["image_uri"]) == mine for link in links) and bool(vector and not vector.code)

    def _meaning(self, row: Mapping[str, Any], fetched: Fetched | None) -> str:
        code = row["code"]
        if code == PLACEHOLDER:
            return f"{MEANINGS[code]}{self._held_by(row)}"
        if code in NOT_FETCHED:
            return NOT_FETCHED[code]
        try:
            return self._preparer.explain(row["image_uri"], code, fetched.said if fetched else "")
        except (StageError, StoreError) as error:
            return f"it cannot be looked at now: {error}"

    def _held_by(self, row: Mapping[str, Any]) -> str:
        """Return how many items have a placeholder, as the run has counted."""
        keys = {(PHOTO, (row["digest"] or b"")[:8].hex()), (LOOK, (row["phash"] or b"").hex())}
        counts = [(items, leaves) for kind, key, items, leaves in self._common if (kind, key) in keys]
        return "" if not counts else ": {} items of {} leaf categories".format(*max(counts))

    @cached_property
    def _common(self) -> list[list[Any]]:
        try:
            name = f"{(self.scope.photos or '').rpartition('/')[0]}/unlinked.json"
            common: list[list[Any]] = self.store.read_json(name)["common"]
        except NotFoundError:
            return []
        return common

    @cached_property
    def _fetcher(self) -> Fetcher:
        return Fetcher.of_catalogue(self.config)

    @cached_property
    def _preparer(self) -> Preparer:
        return Preparer.of(self.config, 1)


def _is_prepared(row: Mapping[str, Any]) -> bool:
    """Tell whether there is a prepared photo; the row of a photo that cannot be read is -1."""
    return row["image_row"] is not None and row["image_row"] >= 0


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
