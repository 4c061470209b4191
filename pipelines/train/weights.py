"""The weights that a trunk starts from: found once, then kept in the store under the checksum of their bytes.

So a training on another machine, or years later, starts from the same, and needs no network.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.config import IMAGENET, Config
from pipelines.errors import StageError
from pipelines.store import Store
from pipelines.store.bucket import BucketStore
from trainer.files import in_bucket
from trainer.weight_files import PUBLISHED, sha256_of

FINDS: Final = "trainer.weight_files"


@dataclass(frozen=True)
class Weights:
    """A file of weights in the store: its checksum, name and origin; `licence` is None where nobody has told it."""

    sha256: str
    file: str
    origin: str
    licence: str | None

    @property
    def name(self) -> str:
        """Its name in the store."""
        return f"weights/{self.sha256}/{self.file}"


def initial_weights(config: Config, store: Store) -> Weights | None:
    """Return what `train.initial_weights` names, which is in the store then. Raises StageError."""
    told, trunk = config.train.initial_weights, config.train.trunk
    if told is None:
        return None
    if told != IMAGENET:
        with _local(config.locate(told)) as path:
            return _keep(store, path, _described(path))
    note = f"weights/{IMAGENET}/{trunk}.json"
    if not store.exists(note):
        found = find_published(trunk)
        kept = _keep(store, Path(found["path"]), (found["file"], found["origin"], found["licence"]))
        store.create_json(note, asdict(kept))
    return Weights(**store.read_json(note))


def find_published(trunk: str) -> dict[str, Any]:
    """Return path, file, origin and licence of a trunk's published weights on this machine, downloaded if need be."""
    done = subprocess.run([sys.executable, "-m", FINDS, trunk], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise StageError(f"the search for the weights of {trunk} ended with {done.returncode}; its error is above")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if "error" in found:
        raise StageError(
            f'train.initial_weights = "{IMAGENET}": {found["error"]}; or name a file of weights there. Once they are '
            "in the store, no training asks again"
        )
    return found


def _keep(store: Store, path: Path, described: tuple[str, str, str | None]) -> Weights:
    weights = Weights(sha256_of(path), *described)
    if not store.exists(weights.name):
        store.create_from(weights.name, path)
    return weights


def _described(path: Path) -> tuple[str, str, str | None]:
    """Return file name, origin and licence; a published file is known by its checksum."""
    checksum = sha256_of(path)
    for published in PUBLISHED.values():
        if published.sha256 == checksum:
            return published.file, published.origin, published.licence
    return path.name, f"the file {path.name}", None


@contextmanager
def _local(location: str) -> Iterator[Path]:
    if in_bucket(location):
        folder, _, name = location.rpartition("/")
        with BucketStore(folder).stage_in(name) as path:
            yield path
    elif not Path(location).is_file():
        raise StageError(f"train.initial_weights: there is no file {location}; name one, or remove the key")
    else:
        yield Path(location)
