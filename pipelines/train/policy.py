"""Whether a run trains: the live model against the policy, today's items and today's labels. It trains nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.releases.live import live_release_id
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store
from pipelines.train.news import News, count_news, known_labels, learnable_labels
from pipelines.train.seen import seen_items


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
    return _over_the_share(context, live)


def _over_the_share(context: RunContext, live: Live) -> str | None:
    section = context.config.train
    if seen_items(context.store, live.folder, 0) is None:
        context.progress.say(
            f"train: model {live.model_id} keeps no list of its items, so only labels are looked at for "
            "train.change_share; train once with policy 'always'"
        )
    news = _news(context, live)
    if news.share <= section.change_share:
        return None
    parts = [f"{news.unseen} of {news.items} items are new since the live model"]
    if news.relabelled:
        parts.append(f"{news.relabelled} more have a category or attribute value that it has not learned and now could")
    return f"{', '.join(parts)}, over train.change_share = {section.change_share:g}"


def _news(context: RunContext, live: Live) -> News:
    store, section = context.store, context.config.train
    catalogue, photos = f"catalogue/{catalogue_id(context)}", context.outputs(PreprocessOutputs).photos
    known = known_labels(live.facts, store.read_json(f"{live.folder}/taxonomy.json"))
    labels = learnable_labels(
        store, catalogue, photos, context.buckets, known, section.attributes, section.min_leaf_images
    )
    return count_news(store, catalogue, live.folder, context.buckets, labels, section.attributes)


def catalogue_id(context: RunContext) -> str:
    """Return the catalogue whose photos the run has prepared."""
    return str(context.outputs(PreprocessOutputs).catalogue_id)
