"""What names a training, so that an equal one is not done twice: its key, its verdict, and finding that of another run.

The key is made of what decides the result and never of where that is kept: not of folders, runs, units or stores.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pipelines.runs.context import RunContext
from pipelines.store import NotFoundError, Store
from pipelines.train.policy import Live
from pipelines.train.start import Start

if TYPE_CHECKING:
    from pipelines.train.examples import Examples

CODE_VERSION: Final = 4


def train_key(context: RunContext, examples: Examples, taxonomy: Mapping[str, Any], start: Start, prep_id: str) -> str:
    """Return the name of a training: 16 hex digits of examples, slots, settings, start and code version."""
    section = context.config.train
    heads = {name: taxonomy["attributes"].get(name, {}) for name in section.attributes}
    parts = [
        examples.checksum,
        prep_id,
        context.config.digest(*section.learned_by),
        start.parent.model_id if start.parent else None,
        {**taxonomy, "attributes": heads},
        CODE_VERSION,
        *start.key(),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def verdict_key(key: str, live: Live | None) -> str:
    """Return the name of a training's verdict: one against another live model says nothing about today's."""
    return f"{key}-{live.model_id}" if live else key


def keep_verdict(store: Store, key: str, live: Live | None, model_id: str, refused: str | None) -> None:
    """Write which model a training came to, and why it was refused."""
    store.create_json(_verdict_name(key, live), {"model_id": model_id, "refused": refused})


def adopt(context: RunContext, key: str, live: Live | None) -> tuple[str, str | None] | None:
    """Return (model, why it was refused) of an equal training: the live model's own, or one compared with it."""
    if live is not None and live.facts["lineage"].get("train_key") == key:
        return live.model_id, None
    try:
        kept = context.store.read_json(_verdict_name(key, live))
    except NotFoundError:
        return None
    context.pin("train", f"models/{kept['model_id']}")
    there = kept["refused"] or context.store.exists(f"models/{kept['model_id']}/model.json")
    return (kept["model_id"], kept["refused"]) if there else None


def _verdict_name(key: str, live: Live | None) -> str:
    return f"models/by-key/{verdict_key(key, live)}.json"
