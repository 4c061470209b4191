"""Photos of a task by their digests, large enough to tell products apart; nobody asks the shop's hosts for them."""

from __future__ import annotations

from threading import Lock
from typing import Final

from pipelines.config import Config
from pipelines.judge.task import Task
from pipelines.store import Store
from serving.judge.recent import Recent
from serving.judge.sources import Originals, ReleasePhotos, ShopPhotos
from serving.release.photos import Prepared, thumbnail
from transforms.image import prepare
from transforms.photo import BadPhoto, PrepSpec

SIDE: Final = 640
"""Pixels of a picture's longer side, at most."""
LARGE: Final = PrepSpec(SIDE, SIDE)
PICTURES: Final = 256
"""How many pictures are kept in memory, of some 100 kB at most."""
TASKS: Final = 4
"""Of how many tasks it is kept where their photos lie."""


class Pictures:
    """Finds the photos that tasks show: as they came where they are to be had, else as they were prepared.

    Safe to share between threads.
    """

    def __init__(self, config: Config, store: Store) -> None:
        self._store, self._keeps_originals = store, config.fetch.keep_originals
        self._shop, self._opening = ShopPhotos(config), Lock()
        self._originals, self._prepared = Recent[str, Originals](TASKS), Recent[str, ReleasePhotos](TASKS)
        self._pictures = Recent[tuple[str, str], bytes](PICTURES)

    def picture(self, task: Task, digest: str) -> bytes | None:
        """Return a photo that a task shows, a JPEG; None of one that it does not show, or that is nowhere any more.

        Raises StoreError, and StageError where a bucket of the shop's cannot be asked.
        """
        if digest not in task.by_digest:
            return None
        kept = self._pictures.get((task.task_id, digest))
        if kept is not None:
            return kept
        found = self._as_it_came(task, digest) or self._as_prepared(task, digest)
        return None if found is None else self._pictures.keep((task.task_id, digest), found)

    def _as_it_came(self, task: Task, digest: str) -> bytes | None:
        data = self._shop.find(task.by_digest[digest]) or self._original(task, digest)
        if data is None:
            return None
        try:
            large = prepare(data, LARGE)
        except BadPhoto:
            return None  # of a version that read more
        return thumbnail(Prepared(large.jpeg, large.width, large.height), LARGE)

    def _original(self, task: Task, digest: str) -> bytes | None:
        if not self._keeps_originals:
            return None
        with self._opening:
            opened = self._originals.get(task.task_id) or self._originals.keep(
                task.task_id, Originals(self._store, task)
            )
        return opened.find(digest)

    def _as_prepared(self, task: Task, digest: str) -> bytes | None:
        with self._opening:
            opened = self._prepared.get(task.task_id) or self._prepared.keep(
                task.task_id, ReleasePhotos(self._store, task)
            )
        return opened.find(digest)
