"""`/v1/items/…`: what the release knows of an item, and what looks like it."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from pipelines.neighbours.query.filters import UnknownFilterError
from pipelines.neighbours.rows import UnknownItemError
from pipelines.tables.spelling import trimmed, visible
from serving.api.parts import Allowed, Asked, answered, problems, published, spend
from serving.problems import Problem, retry_after
from serving.schemas import FilterParameters, ItemAnswer, ReleaseParameter, SimilarAnswer

router = APIRouter(prefix="/v1", tags=["items"])
ItemId = Annotated[str, Path(description="as the shop has it, percent-encoded", examples=["sku-4711"])]


@router.get(
    "/items/{item_id:path}/similar",
    response_model=None,
    responses={200: {"model": SimilarAnswer}, **problems(401, 404, 422, 429, 503, 504)},
)
async def similar(
    item_id: ItemId, service: Asked, key: Allowed, asked: Annotated[FilterParameters, Query()]
) -> Response:
    """Find what looks like an item; itself, items with the same photo and its variants are left out."""
    spend(service, key, 1)
    async with service.answering_by(asked.release) as loaded:
        if visible(trimmed(item_id)) in loaded.hidden:
            raise Problem("unknown_item", f"item {item_id!r} may not be shown")
        try:
            with service.batcher.admitted(1):
                async with asyncio.timeout(service.deadline() - time.monotonic()):
                    found = await service.batcher.in_search_thread(
                        loaded.engine.similar, item_id, asked.k, asked.wanted
                    )
        except UnknownItemError as error:
            raise Problem("unknown_item", str(error)) from error
        except UnknownFilterError as error:
            raise Problem("unknown_filter", str(error)) from error
        except TimeoutError:
            raise retry_after("deadline", "searches before it took too long", 1) from None
        return answered(loaded, {"item_id": item_id, "results": [published(result) for result in found]})


@router.get(
    "/items/{item_id:path}",
    response_model=None,
    responses={200: {"model": ItemAnswer}, **problems(401, 404, 422, 429, 503)},
)
async def item(item_id: ItemId, service: Asked, key: Allowed, asked: Annotated[ReleaseParameter, Query()]) -> Response:
    """Tell what the release knows of an item, as results show it, with all its photos."""
    spend(service, key, 1)
    async with service.answering_by(asked.release) as loaded:
        try:
            found = await service.batcher.in_search_thread(loaded.engine.item, item_id)
        except UnknownItemError as error:
            raise Problem("unknown_item", str(error)) from error
        facts = published(found[0])
        photos = [{name: published(photo)[name] for name in ("image_uri", "thumbnail")} for photo in found]
        for name in ("score", "image_uri", "thumbnail"):
            del facts[name]
        return answered(loaded, facts | {"photos": photos})
