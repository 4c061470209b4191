"""`/v1/release`: the release that answers, and those that were live before."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from pipelines.releases.history import History, read_history
from pipelines.store import Store, StoreError
from serving.api.parts import Allowed, Asked, NothingElse, answered, problems
from serving.problems import retry_after
from serving.release.follow import Failure
from serving.schemas import HistoryAnswer, HistoryParameters, ReleaseAnswer

router = APIRouter(prefix="/v1", tags=["release"])
SHOWN = ("release_id", "action", "previous", "at", "reason", "run_id", "model_id", "index_id", "blessed")
PARTS = {"release_id": "releases", "model_id": "models", "index_id": "indexes"}
"""What an entry of the live log names, and where that is in the store while it is kept."""


@router.get("/release", response_model=None, responses={200: {"model": ReleaseAnswer}, **problems(401, 422, 503)})
async def release(service: Asked, _key: Allowed, _else: NothingElse) -> Response:
    """Tell which release answers."""
    with service.answering() as loaded:
        of = loaded.release
        value = {
            "model_id": of.model_id,
            "index_id": of.index_id,
            "space_id": loaded.engine.facts.space_id,
            "catalogue_id": of.catalogue_id,
            "number": service.follower.number,
            "loaded_at": loaded.loaded_at,
            "counts": loaded.engine.counts,
        }
        failure = service.follower.failure
        return answered(loaded, value | ({"live": failure_told(failure)} if failure else {}))


@router.get(
    "/release/history", response_model=None, responses={200: {"model": HistoryAnswer}, **problems(401, 422, 503)}
)
async def history(service: Asked, _key: Allowed, asked: Annotated[HistoryParameters, Query()]) -> Response:
    """Tell what was promoted and rolled back to, newest first, and which of these releases are kept to be compared."""
    with service.answering() as loaded:
        try:
            read = await asyncio.to_thread(read_history, service.store)
            kept = await asyncio.to_thread(_kept, service.store)
        except StoreError as error:
            raise retry_after("store", str(error), service.config.serving.poll_s) from error
        return answered(loaded, {"entries": _told(read, asked.limit, kept)})


def failure_told(failure: Failure) -> dict[str, Any]:
    """Return what is live and was not loaded, and why."""
    return {
        "release_id": failure.live.release_id,
        "number": failure.live.number,
        "reason": failure.refused.reason,
        "detail": failure.refused.detail,
        "attempts": failure.attempts,
    }


def _kept(store: Store) -> set[tuple[str, str]]:
    """Return the folders that are there of releases and their parts, as (kind, name)."""
    return {(kind, name) for kind in PARTS.values() for name in store.folders(kind)}


def _told(read: History, limit: int, kept: set[tuple[str, str]]) -> list[dict[str, Any]]:
    newest = read.entries[::-1][:limit]
    return [
        {
            "number": number,
            **{name: entry.get(name) for name in SHOWN},
            "comparable": all((kind, entry.get(name)) in kept for name, kind in PARTS.items()),
        }
        for number, entry in newest
    ]
