"""What both releases find for each query, in one pool: an item that both find is asked once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.hidden import Hidden
from pipelines.judge.candidates import Photo, Photos
from pipelines.judge.task import DEPTH, Shown
from pipelines.neighbours.results import Result
from pipelines.neighbours.rows import UnknownItemError
from pipelines.search.engine import SearchEngine

BATCH: Final = 64


@dataclass(frozen=True)
class Pooled:
    """A result, and its ranks (from 0) in the lists of both releases, None where one does not find it."""

    shown: Shown
    first_rank: int | None
    second_rank: int | None


class Asked:
    """One of the two releases, opened, with the photos of its run, and those of them that may be asked as photos."""

    def __init__(self, engine: SearchEngine, photos: Photos, by_digest: Mapping[str, Photo], hidden: Hidden) -> None:
        self._engine, self._photos, self._hidden, self._by_digest = engine, photos, hidden, by_digest

    def can_answer(self, photo: Photo) -> bool:
        """Tell whether a photo can be asked: an item of the gallery by its id, any other photo as customers do."""
        if photo.shown.item_id in self._hidden:
            return False
        if not photo.in_gallery:
            return photo.shown.digest in self._by_digest
        try:
            self._engine.item(photo.shown.item_id)
        except UnknownItemError:
            return False
        return True

    def answers(self, photos: Sequence[Photo]) -> list[list[Shown]]:
        """Return the first ten results for each photo, best first, as `visual-search search` finds them."""
        by_photo = [photo for photo in photos if not photo.in_gallery]
        found = dict(zip([photo.shown.digest for photo in by_photo], self._by_photo(by_photo), strict=True))
        lists = [
            self._engine.similar(photo.shown.item_id, DEPTH) if photo.in_gallery else found[photo.shown.digest]
            for photo in photos
        ]
        return [[shown(result) for result in results] for results in lists]

    def shown_of(self, photo: Photo) -> Shown:
        """Return what a rater sees of a query: of an item of the gallery, the photo by which the release knows it."""
        return shown(self._engine.item(photo.shown.item_id)[0]) if photo.in_gallery else photo.shown

    def _by_photo(self, photos: Sequence[Photo]) -> Iterable[list[Result]]:
        own = [self._by_digest[photo.shown.digest] for photo in photos]
        for start in range(0, len(own), BATCH):
            jpegs = self._photos.prepared(own[start : start + BATCH])
            yield from self._engine.found(self._engine.outputs(jpegs), DEPTH)


def shown(result: Result) -> Shown:
    """Return what a rater sees of a result."""
    return Shown(result.item_id, result.digest, result.image_uri, result.title, result.category)


def pooled(first: Sequence[Shown], second: Sequence[Shown]) -> list[Pooled]:
    """Return the results of both lists, each item once, with the photo by which the second list has it if it does."""
    ranks = [{item.item_id: rank for rank, item in reversed(list(enumerate(results)))} for results in (first, second)]
    items = {item.item_id: item for item in (*reversed(first), *reversed(second))}
    return [Pooled(items[name], ranks[0].get(name), ranks[1].get(name)) for name in sorted(items)]
