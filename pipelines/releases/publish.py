"""A release: a small manifest of references with checksums to immutable parts, beside its metrics and its report.

Owns `releases/<release_id>/` and its name. What a run has measured is first kept whole below the stage's own folder,
then published, the manifest last: so a rerun publishes the same release.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from pipelines.releases.measures import CENTROID, METRICS, QUERIES
from pipelines.store import NotFoundError, Store

REPORT = "report.html"
FILES = (METRICS, CENTROID, QUERIES, REPORT)
"""All but the manifest, which is written last."""

Manifest = dict[str, Any]


def reference(store: Store, folder: str, **facts: str) -> dict[str, Any]:
    """Return facts about an immutable folder, and the name, sha256 and size of every object in it.

    Reads every object once, in blocks. Raises NotFoundError when the folder holds nothing.
    """
    entries = sorted(store.list(folder), key=lambda entry: entry.name)
    if not entries:
        raise NotFoundError(f"{store.uri} holds nothing below {folder!r}; it was removed, so start a new run")
    objects = [{"uri": e.name, "sha256": store.sha256(e.name), "bytes": e.size_bytes} for e in entries]
    return {**facts, "objects": objects}


def named(body: Manifest, now: datetime | None = None) -> Manifest:
    """Return the manifest with its time and its id: UTC time and 12 hex digits of the sha256 of the rest."""
    now = now or datetime.now(UTC)
    body = body | {"created_at": now.isoformat(timespec="seconds")}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]
    return body | {"release_id": f"{now.strftime('%Y%m%dT%H%M%SZ')}-{digest}"}


def keep(store: Store, prefix: str, manifest: Manifest, files: dict[str, bytes]) -> None:
    """Keep all files of a release below the stage's own folder, the manifest last."""
    for name in FILES:
        store.put(f"{prefix}/release/{name}", files[name])
    store.put(f"{prefix}/release/manifest.json", json.dumps(manifest, indent=1, sort_keys=True).encode())


def kept(store: Store, prefix: str) -> Manifest | None:
    """Return the manifest of the release that this run has made already, or None."""
    try:
        manifest: Manifest = store.read_json(f"{prefix}/release/manifest.json")
    except NotFoundError:
        return None
    return manifest


def publish(store: Store, prefix: str, manifest: Manifest) -> None:
    """Write the kept release to `releases/`, the manifest last, then drop the kept copies; again and again is fine."""
    folder = f"releases/{manifest['release_id']}"
    if not store.exists(f"{folder}/manifest.json"):
        for name in FILES:
            store.create(f"{folder}/{name}", store.read(f"{prefix}/release/{name}"))
        store.create_json(f"{folder}/manifest.json", manifest)
    for name in FILES:
        store.delete(f"{prefix}/release/{name}")
