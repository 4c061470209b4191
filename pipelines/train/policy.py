"""Whether a run trains: the live model against the policy, today's items and today's labels. It trains nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.releases.live import live_release_id
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store
from pipelines.tables.taxonomy import read_taxonomy
from pipelines.train.seen import count_new_items


@dataclass(frozen=True)
class Live:
    """The live model, and what its `model.json` says."""

    model_id: str
    facts: dict[str, Any]

    @property
    def folder(self) -> str:
        """Name of its folder in the store."""
        return f"models/{self.model_id}"


def live_model(store: Store) -> Live | None:
    """Return the model of the live release, or None before the first promotion."""
    release_id = live_release_id(store)
    if release_id is None:
        return None
    model_id = store.read_json(f"releases/{release_id}/manifest.json")["model"]["model_id"]
    return Live(model_id, store.read_json(f"models/{model_id}/model.json"))


def reason_to_train(context: RunContext, live: Live | None, prep_id: str) -> str | None:
    """Return why a model is to be trained, or None when the live one is to be kept."""
    policy = context.config.train.policy
    if live is None:
        return "there is no live model yet"
    if live.facts["prep_id"] != prep_id:
        return f"photos are prepared as {prep_id}, the live model reads {live.facts['prep_id']}"
    if policy == "reuse":
        return None
    if policy == "always":
        return "the policy is 'always'"
    return _new_items(context, live) or _new_labels(context.store, live)


def _new_items(context: RunContext, live: Live) -> str | None:
    limit = context.config.train.change_share
    news = count_new_items(context.store, catalogue_id(context), live.folder, context.buckets)
    if news is None:
        context.progress.say(
            f"train: model {live.model_id} keeps no list of its items, so train.change_share cannot be looked at; "
            "train once with policy 'always'"
        )
        return None
    if news.share <= limit:
        return None
    return f"{news.new} of {news.items} items are new since the live model, over train.change_share = {limit:g}"


def _new_labels(store: Store, live: Live) -> str | None:
    new = _new_values(read_taxonomy(store), live.facts["lineage"]["slots"])
    return f"{new} categories or attribute values are new since the live model" if new else None


def _new_values(taxonomy: dict[str, Any], known: dict[str, Any]) -> int:
    levels = sum(map(len, taxonomy["levels"])) - sum(known["levels"])
    attributes = sum(sizes(taxonomy["attributes"]).values()) - sum(known["attributes"].values())
    return int(levels + attributes)


def sizes(values: dict[str, dict[str, int]]) -> dict[str, int]:
    """Return how many slots each attribute has."""
    return {name: len(slots) for name, slots in values.items()}


def catalogue_id(context: RunContext) -> str:
    """Return the catalogue whose photos the run has prepared."""
    return str(context.outputs(PreprocessOutputs).catalogue_id)
