"""`/v1/releases/…/report`: why a release is live or is not, as evaluate wrote it."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Response

from pipelines.store import NotFoundError, StoreError
from serving.api.parts import Allowed, Asked, NothingElse, problems
from serving.problems import Problem, retry_after
from serving.schemas import RELEASE_ID

router = APIRouter(prefix="/v1", tags=["release"])
HEADERS = {
    # The report is one file: its styles and pictures are in it, and it has no script.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-cache",
}


@router.get(
    "/releases/{release_id}/report",
    response_model=None,
    responses={200: {"content": {"text/html": {}}, "description": "a page"}, **problems(401, 404, 422, 503)},
)
async def report(
    release_id: Annotated[str, Path(pattern=RELEASE_ID)],
    service: Asked,
    _key: Allowed,
    _else: NothingElse,
) -> Response:
    """Return the report of a release that is kept."""
    try:
        page = await asyncio.to_thread(service.store.read, f"releases/{release_id}/report.html")
    except NotFoundError as error:
        raise Problem("no_report", f"no report of a release {release_id} is kept") from error
    except StoreError as error:
        raise retry_after("store", str(error), service.config.serving.poll_s) from error
    return Response(page, headers=HEADERS, media_type="text/html; charset=utf-8")
