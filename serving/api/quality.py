"""`/v1/quality` and `/v1/curated`: where the release is weakest, and what curators decide.

A decision is written by whoever has a curator's key and asks from the service's own page, or from no page at all.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response

from pipelines.curated.change import Noted, note
from pipelines.curated.entries import BAD_PHOTO, CATEGORY, NOT_ALIKE, UNDO, Decision
from pipelines.errors import StageError
from pipelines.quality.decisions import bad_photo, category, not_alike
from pipelines.quality.findings import MEANINGS, TITLES, Shown, Weakest
from pipelines.store import Store, StoreError
from serving.api.parts import Allowed, Asked, NothingElse, answered, problems, spend
from serving.bodies import read_json
from serving.keys import Key
from serving.problems import Problem, retry_after
from serving.schemas import CuratedAnswer, DecisionBody, NotedAnswer, QualityAnswer, QualityParameters
from serving.service import Service

router = APIRouter(prefix="/v1", tags=["quality"])
HEADER, MEANT = "X-Visual-Search", "curate"
"""What no page of another site can send unasked."""
MOST_BYTES = 64 << 10
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": DecisionBody.model_json_schema()}},
    }
}


@router.get("/quality", response_model=None, responses={200: {"model": QualityAnswer}, **problems(401, 422, 503)})
async def quality(service: Asked, key: Allowed, asked: Annotated[QualityParameters, Query()]) -> Response:
    """Tell where the release is weakest: what nobody has decided of yet, the weakest of each kind first."""
    spend(service, key, 1)
    with service.answering() as loaded:
        try:
            found = await service.quality.of(loaded, asked.limit)
        except StoreError as error:
            raise retry_after("store", str(error), service.config.serving.poll_s) from error
        may_decide = service.config.serving.curators and key.is_curator
        return answered(loaded, _told(found) | {"may_decide": may_decide})


@router.get("/curated", response_model=None, responses={200: {"model": CuratedAnswer}, **problems(401, 422, 503)})
async def curated(service: Asked, _key: Allowed, _else: NothingElse) -> Response:
    """Tell what curators have decided, as far as it stands, the newest first."""
    with service.answering() as loaded:
        standing = list(loaded.curated.standing.items())[::-1]
        return answered(loaded, {"decisions": [{"number": number, **one.as_json()} for number, one in standing]})


@router.post(
    "/curated",
    response_model=None,
    responses={200: {"model": NotedAnswer}, **problems(400, 401, 403, 408, 413, 422, 429, 503)},
    openapi_extra=_BODY,
)
async def decide(request: Request, service: Asked, key: Allowed, _else: NothingElse) -> Response:
    """Decide, or take a decision back: what is not alike is kept apart within seconds, the next run does the rest."""
    _check_curator(request, service, key)
    body = await read_json(request, DecisionBody, service.config.serving.body_s, MOST_BYTES)
    spend(service, key, 1)
    with service.answering() as loaded:
        try:
            noted = await asyncio.to_thread(_note, service.store, body, key)
        except StageError as error:
            raise Problem("bad_decision", str(error)) from error
        except (StoreError, OSError) as error:
            raise retry_after("store", str(error), service.config.serving.poll_s) from error
        await service.shelf.look_for_hidden()
        return answered(loaded, {"number": noted.number, "changed": noted.is_new})


def _check_curator(request: Request, service: Service, key: Key) -> None:
    """Raise Problem unless a curator asks, from here."""
    if not (service.config.serving.curators and key.is_curator):
        raise Problem("not_a_curator", "ask whoever runs the service: serving.curators, and curator = true of a key")
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
    is_own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not is_own or site not in {"same-origin", "none"}:
        raise Problem("other_site", f"pages of {origin or 'another site'} decide nothing here")
    if request.headers.get(HEADER) != MEANT:
        raise Problem("other_site", f"send the header '{HEADER}: {MEANT}'")


def _note(store: Store, body: DecisionBody, key: Key) -> Noted:
    return note(store, _decision(store, body), body.reason.strip(), f"key {key.name}")


def _decision(store: Store, body: DecisionBody) -> Decision:
    """Return what a body decides, checked by the store. Raises StageError."""
    items = body.item_ids
    if body.action == UNDO:
        return Decision(UNDO, undoes=body.undoes)
    if body.action == NOT_ALIKE and len(items) == 2:
        return not_alike(store, *items)
    if body.action == NOT_ALIKE and len(items) == 1 and body.digest:
        return not_alike(store, items[0], digest=body.digest)
    if body.action == CATEGORY and len(items) == 1:
        return category(store, items[0], tuple(body.category))
    if body.action == BAD_PHOTO and len(items) == 1:
        return bad_photo(store, items[0], body.image_uri)
    raise StageError(f"{body.action} of {len(items)} items is no decision; name one, or for not_alike two")


def _told(weakest: Weakest) -> dict[str, Any]:
    lists = [
        {
            "kind": kind,
            "title": TITLES[kind],
            "meaning": MEANINGS[kind],
            "findings": [
                one.as_dict() | {"item": _shown(one.item), "other": _shown(one.other), "same": one.is_same_photo}
                for one in found
            ],
        }
        for kind, found in weakest.findings.items()
    ]
    return {"items": weakest.of, "lists": lists, "notes": list(weakest.notes)}


def _shown(shown: Shown) -> dict[str, Any]:
    return shown.as_dict() | {"thumbnail": f"/v1/thumbnails/{shown.digest}" if shown.digest else None}
