"""The description of an index folder: manifest.json, written last.

Owns its fields and the checks when it is read back.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.neighbours.settings import HnswConfig, IndexConfig, IvfPcaConfig

FORMAT = 1
FILE = "manifest.json"


class IndexFolderError(Exception):
    """Say that a folder does not hold a usable index."""


def config_json(config: IndexConfig) -> dict[str, Any]:
    """Return the config as JSON values."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


def config_of(manifest: Mapping[str, Any]) -> IndexConfig:
    """Return the config that an index was built with."""
    values = dict(manifest["config"])
    return IndexConfig(**{**values, "hnsw": HnswConfig(**values["hnsw"]), "ivf_pca": IvfPcaConfig(**values["ivf_pca"])})


def described_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Return size and sha256 of every file under `folder`, by relative name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != FILE)
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in files
    }


def file_sha256(path: Path) -> str:
    """Return the sha256 (hex) of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write `manifest` into `folder`, keys sorted."""
    (folder / FILE).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of an index folder whose files are all there in their sizes, or raise IndexFolderError."""
    path = folder / FILE
    if not path.exists():
        raise IndexFolderError(f"{folder} has no {FILE}: it is no index, or its build was stopped; build it again")
    manifest: dict[str, Any] = json.loads(path.read_text())
    if manifest.get("format") != FORMAT:
        raise IndexFolderError(
            f"{folder} has index format {manifest.get('format')}, this version reads {FORMAT}: "
            "build the index again, or upgrade"
        )
    for name, expected in manifest["files"].items():
        file = folder / name
        size = file.stat().st_size if file.exists() else None
        if size != expected["bytes"]:
            found = "is missing" if size is None else f"has {size} bytes"
            raise IndexFolderError(f"{file} {found}, expected {expected['bytes']}: fetch or build the index again")
    return manifest
