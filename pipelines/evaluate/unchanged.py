"""What need not be measured again: a run whose photos, model, index and settings are those of the live release."""

from __future__ import annotations

from pipelines.releases.release import Release
from pipelines.releases.unchanged import digest_of
from pipelines.runs.context import RunContext
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import CatalogueOutputs, EmbedOutputs, IndexOutputs, PreprocessOutputs


def measured_on(context: RunContext) -> str:
    """Return 16 hex digits of all that the numbers of the run's release depend on."""
    store = context.store
    tables = sorted(store.list(context.outputs(PreprocessOutputs).photos), key=lambda entry: entry.name)
    return digest_of(
        context,
        "evaluate",
        context.config.fingerprint(),
        context.outputs(CatalogueOutputs).catalogue_id,
        context.outputs(EmbedOutputs).model_id,
        context.outputs(IndexOutputs).index_id,
        [store.sha256(entry.name) for entry in tables],
    )


def is_known(context: RunContext, live: Release, key: str) -> bool:
    """Tell whether the live release was measured on the same, and passed: one that was accepted is judged anew.

    So is an index that was built again because it was lost: its bytes are not those that the live release names.
    """
    index = read_manifest(context.store, context.run_id, IndexOutputs.stage) or {}
    return live.blessed and live.manifest.get("measured_on") == key and not index.get("counts", {}).get("built")
