"""Models in memory, each once, whatever the releases that have it: a day of new items changes the index alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from pipelines.models.query_model import PREPARED
from pipelines.models.signature import staged
from pipelines.releases.release import Release
from pipelines.store import Store
from serving.model.process import ModelProcess

Key = tuple[str, frozenset[tuple[str, str]]]
"""A model's id, and the names and checksums of its files as a release's manifest has them."""


def key_of(release: Release) -> Key:
    """Return what two releases have in common that have the same model, byte by byte."""
    folder = f"models/{release.model_id}/"
    files = ((each.name, each.sha256) for each in release.references() if each.name.startswith(folder))
    return release.model_id, frozenset(files)


@dataclass
class _Used:
    model: ModelProcess
    stack: ExitStack
    uses: int = 0


class Models:
    """The loaded models. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: dict[Key, _Used] = {}

    def holds(self, release: Release) -> bool:
        """Tell whether a release's model is in memory."""
        return key_of(release) in self._loaded

    def take(self, store: Store, release: Release, first: Sequence[bytes]) -> ModelProcess:
        """Return a release's model, loaded and asked `first` if it is not yet; it stays until given back as often.

        Raises ModelError where it cannot be loaded.
        """
        key = key_of(release)
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = _begun(store, release.model_id, first)
            used = self._loaded[key]
            used.uses += 1
            return used.model

    def give_back(self, release: Release) -> None:
        """Say that a release needs its model no more."""
        key = key_of(release)
        with self._lock:
            used = self._loaded[key]
            used.uses -= 1
            if not used.uses:
                self._loaded.pop(key).stack.close()


def _begun(store: Store, model_id: str, first: Sequence[bytes]) -> _Used:
    with ExitStack() as stack:
        model = ModelProcess(stack.enter_context(staged(store, model_id)), PREPARED, first)
        stack.callback(model.close)
        return _Used(model, stack.pop_all())
