"""Whether a run trains: the live model against the policy, today's items and today's labels. It trains nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.releases.live import live_release
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store
from pipelines.tables.taxonomy import LEAF, former_leaves
from pipelines.train.news import News, Place, count_news, learnable_labels
from pipelines.train.seen import keep_items, keep_labels, seen_items, seen_labels


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
    release = live_release(store)
    if release is None:
        return None
    return Live(release.model_id, store.read_json(f"models/{release.model_id}/model.json"))


def reason_to_train(context: RunContext, live: Live | None, prep_id: str) -> str | None:
    """Return why a model is to be trained, or None when the live one is to be kept."""
    policy = context.config.train.policy
    certain = certain_reason(policy, live, prep_id)
    if certain or live is None or policy == "reuse":
        return certain
    return _over_the_share(context, live)


def certain_reason(policy: str, live: Live | None, prep_id: str) -> str | None:
    """Return why a model is to be trained whatever is sold today, or None where only that can tell."""
    if live is None:
        return "there is no live model yet"
    if live.facts["prep_id"] != prep_id:
        return f"photos are prepared as {prep_id}, the live model reads {live.facts['prep_id']}"
    if "leaf" not in live.facts:
        return "the live model was made before a category at any depth had a slot of its own"
    return "the policy is 'always'" if policy == "always" else None


def _over_the_share(context: RunContext, live: Live) -> str | None:
    section = context.config.train
    news = _news(context, live)
    if news.share <= section.change_share:
        return None
    return f"{_told(news)}, over train.change_share = {section.change_share:g}"


def _told(news: News) -> str:
    parts = (
        (news.unseen, "are new since the live model"),
        (news.relabelled, "have a category or attribute value that the live model could not learn and now could"),
        (news.corrected, "were corrected since the live model"),
    )
    told = [(count, what) for count, what in parts if count]
    first = [f"{count} of {news.items} items {what}" for count, what in told[:1]]
    return ", and ".join([*first, *(f"{count} others {what}" for count, what in told[1:])])


def _news(context: RunContext, live: Live) -> News:
    """Count the news; labels are looked at when new items alone do not decide."""
    section, place = context.config.train, place_of(context)
    known = seen_labels(context.store, live.folder)
    if known is None or seen_items(context.store, live.folder, 0) is None:
        context.progress.say(
            f"train: model {live.model_id} keeps no list of its items or labels, so not all that train.change_share is "
            "of can be looked at; train once with policy 'always'"
        )
    unseen = count_news(place, live.folder, {}, section.attributes)
    if known is None or unseen.share > section.change_share:
        return unseen
    now = learnable_labels(place, section.attributes, section.min_leaf_images, section.min_attribute_images)
    former = former_leaves(context.store)
    known |= {LEAF: {former.get(leaf, leaf) for leaf in known.get(LEAF, set())}}
    labels = {name: values - known.get(name, set()) for name, values in now.items()}
    return count_news(place, live.folder, labels, section.attributes) if any(labels.values()) else unseen


def remember(context: RunContext, model_id: str) -> None:
    """Note what a model that was not trained here finds when it is first used, so that news since then can be told."""
    section, folder = context.config.train, f"models/{model_id}"
    if seen_labels(context.store, folder) is not None:
        return
    keep_items(context.store, catalogue_id(context), folder, context.buckets)
    floors = section.min_leaf_images, section.min_attribute_images
    keep_labels(context.store, folder, learnable_labels(place_of(context), section.attributes, *floors))


def place_of(context: RunContext) -> Place:
    """Return where the items and photos are that the run has prepared."""
    prepared = context.outputs(PreprocessOutputs)
    return Place(context.store, f"catalogue/{prepared.catalogue_id}", prepared.photos, context.buckets)


def catalogue_id(context: RunContext) -> str:
    """Return the catalogue whose photos the run has prepared."""
    return str(context.outputs(PreprocessOutputs).catalogue_id)
