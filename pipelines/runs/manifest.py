"""What a finished stage leaves behind: its manifest, written last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pipelines.store import NotFoundError, Store

ALSO_READS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "preprocess": (
            "catalogue.photo_root",
            "catalogue.allowed_roots",
            *(
                f"fetch.{key}"
                for key in ("max_age_hours", "recheck_hours", "gone_days", "allowed_networks", "ignored_query")
            ),
        ),
        "index": ("recipe", "search", "catalogue.columns.attributes", "catalogue.columns.signals"),
        "evaluate": (
            "recipe",
            "search",
            "index.roles",
            "train.attributes",
            "train.retire_after_days",
            "catalogue.columns.attributes",
        ),
    }
)
"""What a stage's result depends on beside its own section; of Beam's options and the store it must not."""


REFUSED: Final = "refused.json"
"""Beside where a stage's manifest would be: what a gate said that ended it before it had made anything, when, and by
which stage a person's reason passes it ("" if by none)."""

Manifest = dict[str, Any]


def read_manifest(store: Store, run_id: str, stage: str) -> Manifest | None:
    """Return a finished stage's manifest, or None."""
    try:
        manifest: Manifest = store.read_json(f"runs/{run_id}/{stage}/manifest.json")
    except NotFoundError:
        return None
    return manifest


def last_line(manifest: Manifest) -> str:
    """Return the one JSON object that a stage prints last on stdout."""
    names = ("stage", "run_id", "counts", "seconds", "uri")
    return json.dumps({name: manifest[name] for name in names}, sort_keys=False)


def sections_of(stage: str) -> tuple[str, ...]:
    """Return the sections of the configuration that a stage's result depends on."""
    return (stage, *ALSO_READS.get(stage, ()))
