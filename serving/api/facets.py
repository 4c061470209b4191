"""`/v1/facets`: what there is to filter by."""

from __future__ import annotations

from fastapi import APIRouter, Response

from serving.api.parts import Allowed, Asked, NothingElse, answered, problems
from serving.schemas import FacetsAnswer

router = APIRouter(prefix="/v1", tags=["search"])


@router.get("/facets", response_model=None, responses={200: {"model": FacetsAnswer}, **problems(401, 422, 503)})
async def facets(service: Asked, _key: Allowed, _else: NothingElse) -> Response:
    """Tell which categories, values of attributes and currencies there are, each with how many items it leaves."""
    with service.answering() as loaded:
        found = await service.batcher.in_search_thread(lambda: loaded.engine.facets)
        value = {
            "items": found.items,
            "categories": [{"path": list(path), "items": items} for path, items in found.categories.items()],
            "attributes": {
                name: [{"value": one, "items": items} for one, items in values.items()]
                for name, values in found.attributes.items()
            },
            "currencies": list(found.currencies),
        }
        return answered(loaded, value)
