"""What the resources have in common: the service and the key of a request, and answers that name their release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

import orjson
from fastapi import Depends, Query, Request, Response

from pipelines.neighbours.results import Result
from serving.keys import Key
from serving.release.loaded import LoadedRelease
from serving.schemas import Parameters, ProblemModel
from serving.service import Service

RELEASE_HEADER = "X-Release-Id"


async def service_of(request: Request) -> Service:
    """Return the service that a request is to; async as `key_of`, for what is not goes to a thread and back."""
    return cast(Service, request.app.state.service)


Asked = Annotated[Service, Depends(service_of)]


async def key_of(request: Request, service: Asked) -> Key:
    """Return the key of a request. Raises Problem."""
    key = service.keys.of(request)
    request.scope["key"] = key.name
    return key


Allowed = Annotated[Key, Depends(key_of)]
NothingElse = Annotated[Parameters, Query()]
"""Of a resource whose address says all: a parameter would be ignored in silence."""


def spend(service: Service, key: Key, queries: int) -> None:
    """Count queries of a key. Raises Problem where they are too many."""
    key.spend(queries)
    service.metrics.queries.labels(key.name).inc(queries)


def answered(loaded: LoadedRelease, value: Mapping[str, Any]) -> Response:
    """Return the answer of a release: it names it in its body and in a header."""
    body = orjson.dumps({"release_id": loaded.release_id, **value}, option=orjson.OPT_SERIALIZE_NUMPY)
    headers = {RELEASE_HEADER: loaded.release_id, "Cache-Control": "no-store"}
    return Response(body, headers=headers, media_type="application/json")


def published(result: Result) -> dict[str, Any]:
    """Return a result as it is published, with where its photo is to be had in small."""
    return result.as_dict() | {"thumbnail": f"/v1/thumbnails/{result.digest}"}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI description says of errors."""
    content = {"application/problem+json": {"schema": ProblemModel.model_json_schema()}}
    return {status: {"description": _MEANING[status], "content": content} for status in statuses}


_MEANING = {
    400: "the request cannot be read",
    401: "no key, or a wrong one",
    403: "not for this key, or not from there",
    404: "there is no such thing",
    408: "the body came too slowly",
    413: "too large",
    415: "no photo, or of a format that is not read",
    422: "a parameter or the photo is wrong",
    429: "too many queries; ask again after Retry-After",
    503: "not ready, or too busy; ask again after Retry-After",
    504: "not answered in time",
}
