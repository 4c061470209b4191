"""`POST /v1/search`: what looks like photos."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from starlette.datastructures import QueryParams

from pipelines.neighbours.query.explained import Explained, Sight
from pipelines.neighbours.query.standing import Standing
from pipelines.tables.spelling import trimmed, visible
from pipelines.trace.query import query_trace, verdict_of
from serving.api.parts import answered, key_of, problems, published, service_of, spend
from serving.asked import Found, Question
from serving.problems import Problem, bad_parameters
from serving.release.loaded import LoadedRelease
from serving.schemas import LISTS, SearchAnswer, SearchParameters, box_of
from serving.service import Service
from serving.uploads import Photo, Upload, merged, read_upload

router = APIRouter(prefix="/v1", tags=["search"])
ADDRESSES = 64
"""Whose parameters are kept: most searches ask with the same ones."""

_BINARY = {"schema": {"type": "string", "format": "binary"}}
DESCRIBED = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": schema}
        | {told: schema[told] for told in ("description",) if told in schema}
        for name, schema in SearchParameters.model_json_schema()["properties"].items()
    ],
    "requestBody": {
        "required": True,
        "description": "a photo, or several as files in `image`; parameters may also be fields of such a form",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "properties": {"image": {"type": "array", "items": _BINARY["schema"]}},
                }
            },
            "image/*": _BINARY,
            "application/octet-stream": _BINARY,
        },
    },
}
EXAMPLE = {
    "release_id": "20260729T031502Z-5b1f0c9a7e42",
    "answers": [
        {
            "query": "boot.jpg",
            "results": [
                {
                    "item_id": "sku-4711",
                    "score": 0.913402,
                    "category": ["Shoes", "Boots"],
                    "image_uri": "boots/4711_1.jpg",
                    "title": "Chelsea boot",
                    "price": 89.0,
                    "currency": "EUR",
                    "availability": "in_stock",
                    "thumbnail": "/v1/thumbnails/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                }
            ],
        }
    ],
}


@router.post(
    "/search",
    response_model=None,
    responses={
        200: {"model": SearchAnswer, "content": {"application/json": {"example": EXAMPLE}}},
        **problems(400, 401, 408, 413, 415, 422, 429, 503, 504),
    },
    openapi_extra=DESCRIBED,
)
async def search(request: Request) -> Response:
    """Find what looks like photos.

    One photo that cannot be asked is the answer's problem; of several, each has its own.
    """
    service = await service_of(request)
    key = await key_of(request, service)
    asked = _of_address(request.scope["query_string"])
    with service.upload_memory.share() as share:
        with service.metrics.step("upload"):
            upload = await read_upload(request, service.bounds, share)
        parameters = _parameters(asked, upload)
        spend(service, key, len(upload.photos))
        async with service.answering_by(parameters.release) as loaded:
            with service.batcher.admitted(len(upload.photos)):
                answers = await _answers(service, loaded, upload.photos, parameters)
    return answered(loaded, {"answers": answers})


@lru_cache(ADDRESSES)
def _of_address(text: bytes) -> SearchParameters:
    """Return the parameters of the address. Raises Problem."""
    query = QueryParams(text)
    return _checked({name: query.getlist(name) if name in LISTS else value for name, value in query.items()})


def _checked(values: Mapping[str, object]) -> SearchParameters:
    try:
        return SearchParameters.model_validate(values)
    except ValidationError as error:
        raise bad_parameters(error.errors()) from error


def _parameters(asked: SearchParameters, upload: Upload) -> SearchParameters:
    """Return the parameters of address and body. Raises Problem."""
    if upload.fields:
        asked = _checked(merged(asked.model_dump(exclude_unset=True), upload.fields, LISTS))
    if len(asked.box) not in {0, len(upload.photos)}:
        detail = f"{len(asked.box)} boxes for {len(upload.photos)} photos; give one for each, or none"
        raise Problem("bad_parameter", f"box: {detail}")
    return asked


async def _answers(
    service: Service, loaded: LoadedRelease, photos: list[Photo], parameters: SearchParameters
) -> list[dict[str, Any]]:
    """Return an answer for each photo. Raises the Problem of a photo that is alone."""
    until = service.deadline()
    question = Question(parameters.k, parameters.wanted, parameters.explain, parameters.item)
    if visible(trimmed(question.item)) in loaded.hidden:
        raise Problem("unknown_item", f"item {question.item!r} may not be shown")

    async def one(number: int, photo: Photo) -> dict[str, Any]:
        box = box_of(parameters.box[number]) if parameters.box else None
        found = await service.batcher.ask(loaded, photo.data, box, question, until)
        return await _published(service, loaded, question, found)

    tasks = [one(number, photo) for number, photo in enumerate(photos)]
    done = await asyncio.gather(*tasks, return_exceptions=True)
    answers = []
    for number, (photo, answer) in enumerate(zip(photos, done, strict=True)):
        if isinstance(answer, BaseException):
            if len(photos) == 1 or not isinstance(answer, Problem):
                raise answer
            service.metrics.refused.labels(answer.code).inc()
            answer = {"problem": answer.as_dict()}
        answers.append({"query": photo.name or str(number + 1), **answer})
    return answers


async def _published(service: Service, loaded: LoadedRelease, question: Question, found: Found) -> dict[str, Any]:
    value: dict[str, Any] = {"results": [published(result) for result in found.results]}
    if found.explained is not None:
        leaves = await service.batcher.in_search_thread(lambda: loaded.engine.leaves)
        value["explain"] = _explained(found.explained, dict(leaves), found.jpeg)
        if found.standing is not None:
            value["explain"]["item"] = _told_of_item(question, found.standing, leaves)
    return value


def _told_of_item(question: Question, standing: Standing, leaves: Mapping[int, str]) -> dict[str, Any]:
    """Return at which step of the search an item fell out, as `trace` tells it of a query."""
    query = query_trace("", question.k, standing, leaves)
    verdict = verdict_of(query, standing)
    told = {"item_id": question.item, "found": verdict.is_found, "verdict": asdict(verdict)}
    return told | {"leaf": query.leaf, "categories": query.categories, "standing": asdict(standing)}


def _explained(how: Explained, leaves: dict[int, str], jpeg: bytes) -> dict[str, Any]:
    """Return how results were found: what the model got and sees, what was compared, what each score is made of."""

    def sights(seen: tuple[Sight, ...]) -> list[dict[str, Any]]:
        named = [
            (leaves.get(each.value, str(each.value)) if isinstance(each.value, int) else each.value) for each in seen
        ]
        return [{"value": name, "probability": each.probability} for name, each in zip(named, seen, strict=True)]

    return {
        "photo": f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}",
        "seen": {
            "category": sights(how.seen),
            "attributes": {name: sights(seen) for name, seen in how.seen_attributes.items()},
        },
        "index": how.kind,
        "categories": None if how.slots is None else [leaves.get(slot, str(slot)) for slot in how.slots],
        "scanned": how.scanned if how.scanned >= 0 else None,
        "scored": how.depth,
        "rounds": how.rounds,
        "left_by_filter": how.left,
        "results": [{"score": score, "parts": dict(parts)} for score, parts in zip(how.scores, how.parts, strict=True)],
    }
