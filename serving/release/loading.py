"""From a release's id to one that answers: its bytes verified, its memory predicted, opened, and warm.

Every step may take long; this runs in a thread of its own, and knows nothing of requests.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.models.facts import read_facts
from pipelines.neighbours.recipes import plan_of
from pipelines.releases.release import BrokenReleaseError, Release, check_parts, read_release
from pipelines.store import NotFoundError, Store, StoreError, UnavailableError
from serving.model import process as model_process
from serving.model.process import ModelError
from serving.release import calm
from serving.release.cache import ReleaseCache
from serving.release.engine import Engine
from serving.release.loaded import LoadedRelease
from serving.release.memory import available_bytes, needed_bytes
from serving.release.models import Models
from serving.release.photos import PreparedPhotos
from serving.release.refusal import Refused
from transforms.photo import PREP_VERSION

WARM_PHOTOS = 256
"""How many photos of the index are looked for to warm up with; those of one unit are taken."""
FEW = 8
"""With how many of these a model is asked, which may answer queries already."""
ALIKE = 0.99
"""The least cosine of a photo's vector as the model gives it now, and as the index holds it in half precision."""


class Loader:
    """Loads releases of one store."""

    def __init__(self, config: Config, store: Store, cache: ReleaseCache | None) -> None:
        """Take `cache` for a store whose objects are not files of this machine, None for a folder."""
        self._config, self._store, self._cache = config, store, cache
        self._plan, self._models = plan_of(config), Models()

    def load(self, release_id: str) -> LoadedRelease:
        """Return a release that is verified, opened and warm. Raises Refused that says why there is none."""
        started = time.monotonic()
        with _refusals():
            model_process.prepare()
            calm.prepare()
            release = (self._cache or self).read_release(release_id)
            store = self._copied(release)
            needed = self._checked_memory(store, release)
            self._check_preparation(store, release)
            engine = Engine(self._config, store, release, self._models)
            try:
                _check_fit(engine)
                photos = self._photos(store, release)
                warm_up(engine, photos)
            except BaseException:
                engine.close()
                raise
        return LoadedRelease(release, engine, photos, needed, time.monotonic() - started)

    def read_release(self, release_id: str) -> Release:
        """Return a release's manifest."""
        return read_release(self._store, release_id)

    def _checked_memory(self, store: Store, release: Release) -> int:
        """Return about how many bytes a release will take. Raises Refused where they are not left."""
        needed = needed_bytes(store, release, self._plan.kinds, with_model=not self._models.holds(release))
        left = available_bytes(self._config.serving.memory_bytes)
        if needed > left:
            raise Refused(
                "memory",
                f"release {release.release_id} needs about {needed:,} bytes, and {left:,} are left beside what is "
                "loaded; give the process more (its container's limit, or serving.memory_bytes), for it must hold two "
                "releases while it swaps",
            )
        return needed

    def _copied(self, release: Release) -> Store:
        """Return a store that holds the release, every byte of it compared with its checksum."""
        if self._cache is not None:
            return self._cache.take(release)
        check_parts(self._store, release)
        return self._store

    def _check_preparation(self, store: Store, release: Release) -> None:
        spec = read_facts(store, release.model_id).spec
        if spec.version != PREP_VERSION:
            raise Refused(
                "unusable",
                f"model {release.model_id} was trained on photos prepared by version {spec.version}, this program "
                f"prepares by version {PREP_VERSION}: serve with the version of visual-search that made the release, "
                "or make a new one",
            )

    def _photos(self, store: Store, release: Release) -> PreparedPhotos | None:
        try:
            return PreparedPhotos.open(store, release)
        except UnavailableError:
            if self._cache is None:
                raise
            return None  # they are no part of a release: with its copy alone it answers, without thumbnails


def warm_up(engine: Engine, photos: PreparedPhotos | None) -> None:
    """Ask a release with some photos of its own catalogue, then with one alone.

    Raises Refused where the model gives them other vectors than the index holds.
    """
    stored = engine.stored(WARM_PHOTOS)
    vectors = dict(stored)
    real = photos.near([digest for digest, _ in stored])[:FEW] if photos is not None else []
    outputs = engine.outputs([jpeg for _, jpeg in real] or [engine.blank])
    if real:
        expected = np.stack([vectors[digest] for digest, _ in real])
        _check_alike(engine, np.sum(outputs.embeddings * expected, axis=1))
    engine.found(outputs, 10)
    engine.found(outputs.take(np.zeros(1, np.int64)), 10)


def _check_alike(engine: Engine, cosines: np.ndarray) -> None:
    if not cosines.min() >= ALIKE:
        raise Refused(
            "untrue",
            f"model {engine.facts.model_id} gives photos of the catalogue vectors that are as far as a cosine of "
            f"{cosines.min():.4f} from those in the index (at least {ALIKE}); embed and index anew",
        )


def _check_fit(engine: Engine) -> None:
    facts = engine.facts
    if engine.dim != facts.dim or engine.code_bytes not in {0, facts.bits // 8}:
        raise Refused(
            "unusable",
            f"the index holds vectors of {engine.dim} numbers and codes of {engine.code_bytes} bytes, model "
            f"{facts.model_id} gives {facts.dim} and {facts.bits // 8}; build the release again",
        )


@contextmanager
def _refusals() -> Iterator[None]:
    """Tell each thing that can be wrong with a release by its reason."""
    try:
        yield
    except Refused:
        raise
    except UnavailableError as error:
        raise Refused("unavailable", str(error)) from error
    except (BrokenReleaseError, NotFoundError) as error:
        raise Refused("damaged", str(error)) from error
    except (StageError, StoreError) as error:
        raise Refused("unusable", str(error)) from error
    except ModelError as error:
        raise Refused("unusable", f"its model: {error}") from error
    except MemoryError as error:
        raise Refused("memory", "it did not fit into memory; give the process more") from error
    except Exception as error:  # libraries raise what they like of a model or an index that is none
        raise Refused("unusable", f"{type(error).__name__}: {error}") from error
