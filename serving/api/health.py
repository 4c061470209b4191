"""`/healthz`, `/readyz`, `/metrics`: what machines ask."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Response

from serving import metrics
from serving.api.parts import Asked
from serving.api.release import failure_told
from serving.release.follow import Follower

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=None)
async def healthz() -> Response:
    """Tell that the process answers."""
    return _told(200, {"status": "alive"})


@router.get("/readyz", response_model=None, responses={503: {"description": "not ready, and why"}})
async def readyz(service: Asked) -> Response:
    """Tell whether queries may be sent here; and what is live but could not be loaded, if anything."""
    follower, value = service.follower, dict[str, Any]()
    if follower.failure is not None:
        value["live"] = failure_told(follower.failure)
    if follower.store_error:
        value["store"] = follower.store_error
    if service.hiding.error:
        value["hidden"] = service.hiding.error
    if service.curating.error:
        value["curated"] = service.curating.error
    if service.is_draining:
        return _told(503, {"status": "draining", **value})
    if follower.current is None:
        return _told(503, {"status": _why_not(follower), **value})
    ready = {"status": "ready", "release_id": follower.current.release_id, "number": follower.number}
    return _told(200, ready | value)


@router.get("/metrics", response_model=None, responses={200: {"content": {metrics.CONTENT_TYPE: {}}}})
async def metrics_text(service: Asked) -> Response:
    """Return the metrics as Prometheus reads them."""
    return Response(service.metrics.text(), headers={"Content-Type": metrics.CONTENT_TYPE})


def _why_not(follower: Follower) -> str:
    if follower.failure is not None:
        return "refused"
    return "nothing_live" if follower.nothing_live else "loading"


def _told(status: int, value: dict[str, Any]) -> Response:
    return Response(orjson.dumps(value), status, {"Cache-Control": "no-store"}, "application/json")
