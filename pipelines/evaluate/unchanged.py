"""What need not be measured again: a run whose photos, model, index and settings are those of the live release."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from pipelines.releases.release import Release
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import CatalogueOutputs, EmbedOutputs, IndexOutputs, PreprocessOutputs

VERSION: Final = 1
"""Of what is measured and how it is judged: raised when equal inputs come to other numbers."""


def measured_on(context: RunContext) -> str:
    """Return 16 hex digits of all that the numbers of the run's release depend on."""
    store = context.store
    tables = sorted(store.list(context.outputs(PreprocessOutputs).photos), key=lambda entry: entry.name)
    parts = [
        VERSION,
        context.config.fingerprint(),
        context.outputs(CatalogueOutputs).catalogue_id,
        context.outputs(EmbedOutputs).model_id,
        context.outputs(IndexOutputs).index_id,
        [store.sha256(entry.name) for entry in tables],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def is_known(live: Release, key: str) -> bool:
    """Tell whether the live release was measured on the same, and passed: one that was accepted is judged anew."""
    return live.blessed and live.manifest.get("measured_on") == key
