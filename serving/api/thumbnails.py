"""`/v1/thumbnails/…`: the release's photos in small, so that a page asks nothing of the shop's hosts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from pipelines.store import StoreError
from serving.api.parts import RELEASE_HEADER, Allowed, Asked, NothingElse, problems
from serving.problems import Problem, retry_after

router = APIRouter(prefix="/v1", tags=["thumbnails"])
KEPT_S = 300
"""How long a browser keeps one: what is hidden or erased is to go soon."""


@router.get(
    "/thumbnails/{digest}",
    response_model=None,
    responses={200: {"content": {"image/jpeg": {}}, "description": "a JPEG"}, **problems(401, 404, 422, 503)},
)
async def thumbnail(
    digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="sha256 of the photo, in hex")],
    service: Asked,
    _key: Allowed,
    _else: NothingElse,
) -> Response:
    """Return one of the release's photos, as it was prepared, without the canvas around it.

    One that it does not have may be of the release that is compared with it.
    """
    with service.answering() as current, service.compared_or(current) as compared:
        loaded = current
        try:
            jpeg = await service.thumbnail(current, bytes.fromhex(digest))
            if jpeg is None and compared is not current:
                loaded, jpeg = compared, await service.thumbnail(compared, bytes.fromhex(digest))
        except StoreError as error:
            raise retry_after("store", str(error), service.config.serving.poll_s) from error
        if jpeg is None:
            raise Problem("no_thumbnail", f"the release has no prepared photo {digest}")
        headers = {
            RELEASE_HEADER: loaded.release_id,
            "Cache-Control": f"private, max-age={KEPT_S}",
            "ETag": f'"{digest}"',
        }
        return Response(jpeg, headers=headers, media_type="image/jpeg")
