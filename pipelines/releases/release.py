"""One release as its manifest describes it, and the check that everything it refers to is there.

Owns what other modules may ask of a manifest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.store import NotFoundError, Store, StoreError


class BrokenReleaseError(StoreError):
    """A release is not there, or something it refers to is missing or has other bytes."""


@dataclass(frozen=True)
class Reference:
    """An object that a manifest refers to, with the sha256 (hex) of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Release:
    """A release's manifest."""

    release_id: str
    manifest: Mapping[str, Any]

    @property
    def model_id(self) -> str:
        """The model that embeds its queries."""
        return _identity(self.manifest, "model", "model_id")

    @property
    def space_id(self) -> str:
        """The vector space of its index; the model's own id where the manifest names none."""
        return _identity(self.manifest, "space", "space_id") or self.model_id

    @property
    def index_id(self) -> str:
        """The index that answers its queries."""
        return _identity(self.manifest, "index", "index_id")

    @property
    def catalogue_id(self) -> str:
        """The catalogue that its index was built from."""
        return str(self.manifest.get("catalogue_id", ""))

    @property
    def catalogue_number(self) -> int:
        """That catalogue's number in the catalogue's log: a higher one extends a lower one. 0 where none is named."""
        return int(self.manifest.get("catalogue_number", 0))

    @property
    def run_id(self) -> str:
        """The run that made it."""
        return str(self.manifest.get("run_id", ""))

    @property
    def measured_by(self) -> str:
        """The run that measured its numbers; releases that share one differ in nothing that was measured."""
        return str(self.manifest.get("measured_by") or self.run_id)

    @property
    def measured_for(self) -> str:
        """The release for which its numbers were measured: itself, or one with which it shares all they depend on."""
        return str(self.manifest.get("measured_for") or self.release_id)

    @property
    def measured_at(self) -> str:
        """When that release was made: UTC, ISO 8601."""
        return str(self.manifest.get("measured_at") or self.manifest.get("created_at", ""))

    @property
    def positions(self) -> dict[str, str]:
        """How far it has read each feed."""
        return dict(self.manifest.get("positions") or {})

    @property
    def blessed(self) -> bool:
        """Whether it passed every gate."""
        return self.manifest.get("blessed") is True

    @property
    def gates(self) -> list[dict[str, Any]]:
        """The verdicts of its gates."""
        return list(self.manifest.get("gates") or [])

    def references(self) -> list[Reference]:
        """Return every object that the manifest names with a checksum."""
        return list(_references(self.manifest))

    def folders(self) -> list[str]:
        """Return the folders that the release cannot do without."""
        parts = (("models", self.model_id), ("indexes", self.index_id), ("catalogue", self.catalogue_id))
        return [f"{kind}/{name}" for kind, name in parts if name]


def release_name(release_id: str) -> str:
    """Return the name of a release's manifest."""
    return f"releases/{release_id}/manifest.json"


def read_release(store: Store, release_id: str) -> Release:
    """Return a release. Raises BrokenReleaseError when it is not there or its manifest is damaged."""
    name = release_name(release_id)
    try:
        manifest = store.read_json(name)
    except NotFoundError as error:
        raise BrokenReleaseError(f"{store.uri} holds no release {release_id!r}; choose one of `status`") from error
    if not isinstance(manifest, dict) or manifest.get("release_id") != release_id:
        raise BrokenReleaseError(f"{store.uri}/{name} is not the manifest of {release_id!r}; run evaluate again")
    return Release(release_id, manifest)


def is_whole(store: Store, release_id: str) -> bool:
    """Tell whether a release and the folders it refers to are there, by their names alone; `check_parts` reads them."""
    try:
        folders = read_release(store, release_id).folders()
    except BrokenReleaseError:
        return False
    return all(next(iter(store.list(folder)), None) is not None for folder in folders)


def check_parts(store: Store, release: Release) -> None:
    """Read back everything that the release refers to. Raises BrokenReleaseError that names what is wrong."""
    for folder in release.folders():
        if next(iter(store.list(folder)), None) is None:
            raise BrokenReleaseError(f"release {release.release_id} needs {store.uri}/{folder}, which is gone")
    for reference in release.references():
        try:
            found = store.sha256(reference.name)
        except NotFoundError as error:
            message = f"release {release.release_id} needs {store.uri}/{reference.name}, which is gone"
            raise BrokenReleaseError(message) from error
        if found != reference.sha256:
            raise BrokenReleaseError(
                f"release {release.release_id}: {store.uri}/{reference.name} has sha256 {found[:12]}…, "
                f"the manifest says {reference.sha256[:12]}…; the object is damaged, build the release again"
            )


def _references(value: Any) -> Iterator[Reference]:
    if isinstance(value, Mapping):
        name = next((value[key] for key in ("uri", "name") if isinstance(value.get(key), str)), None)
        if name and isinstance(value.get("sha256"), str):
            yield Reference(name, value["sha256"])
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _identity(manifest: Mapping[str, Any], part: str, key: str) -> str:
    for place in (manifest, manifest.get(part), manifest.get("model"), manifest.get("index")):
        if isinstance(place, Mapping) and isinstance(place.get(key), str):
            return str(place[key])
    return str(manifest[part]) if isinstance(manifest.get(part), str) else ""
