"""`/v1/judge/…`: what raters are asked about two releases, and what they say. It tells nobody which found what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel

from pipelines.errors import StageError
from pipelines.judge.answers import AnswersError, checked_name
from pipelines.judge.task import Task
from pipelines.store import StoreError
from pipelines.telemetry import logs
from serving.api.parts import Allowed, Asked, NothingElse, problems
from serving.bodies import read_json
from serving.judge.schemas import (
    CountParameter,
    GivenAnswer,
    NextParameters,
    ProgressAnswer,
    RaterParameter,
    TaskModel,
    TasksAnswer,
    TurnAnswer,
)
from serving.keys import Key, NoKeys
from serving.problems import Problem, retry_after
from serving.release.refusal import Refused
from serving.service import Service

router = APIRouter(prefix="/v1/judge", tags=["judge"])
KEPT_S = 300
"""How long a browser keeps a photo: what is hidden or erased is to go soon."""
TaskId = Annotated[str, Path(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,99}$")]
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": GivenAnswer.model_json_schema()}},
    }
}


async def _task(task_id: TaskId, service: Asked, _key: Allowed) -> Task:
    """Return a task without what is hidden. Raises Problem."""
    try:
        hidden = await service.hiding.known()
    except Refused as error:
        raise retry_after("not_ready", str(error), service.config.serving.poll_s) from error
    found = await _in_thread(service, lambda: service.desk.tasks.task(task_id, hidden))
    if found is None:
        raise Problem("unknown_task", f"there is no task {task_id!r}; `visual-search judge new` makes one")
    return found


OfTask = Annotated[Task, Depends(_task)]


@router.get("/tasks", response_model=None, responses={200: {"model": TasksAnswer}, **problems(401, 422, 503)})
async def tasks(service: Asked, key: Allowed, _else: NothingElse) -> Response:
    """Tell which tasks there are, newest first."""
    found = await _in_thread(service, service.desk.tasks.newest)
    told = [TaskModel(task_id=one.task_id, created_at=one.created_at, decided=one.is_decided) for one in found]
    return _told(TasksAnswer(rater=None if isinstance(service.keys, NoKeys) else key.name, tasks=told))


@router.get(
    "/tasks/{task_id}/next", response_model=None, responses={200: {"model": TurnAnswer}, **problems(401, 404, 422, 503)}
)
async def following(
    task: OfTask,
    service: Asked,
    key: Allowed,
    asked: Annotated[NextParameters, Query()],
) -> Response:
    """Tell what a rater is asked next, on whatever machine; the same until it is answered."""
    name = _rater(service, key, asked.rater)
    return _told(await asyncio.to_thread(service.desk.turn, task, name, asked.count))


@router.get(
    "/tasks/{task_id}/progress",
    response_model=None,
    responses={200: {"model": ProgressAnswer}, **problems(401, 404, 422, 503)},
)
async def progress(task: OfTask, service: Asked, key: Allowed, asked: Annotated[RaterParameter, Query()]) -> Response:
    """Tell how far a rater is, and the task."""
    name = _rater(service, key, asked.rater)
    found = await asyncio.to_thread(service.desk.progress, task, name)
    return _told(ProgressAnswer(task_id=task.task_id, rater=name, progress=found))


@router.post(
    "/tasks/{task_id}/answers",
    response_model=None,
    responses={200: {"model": TurnAnswer}, **problems(400, 401, 404, 408, 413, 422, 503)},
    openapi_extra=BODY,
)
async def answer(
    task: OfTask,
    request: Request,
    service: Asked,
    key: Allowed,
    asked: Annotated[CountParameter, Query()],
) -> Response:
    """Keep an answer, and tell what comes next. Of a rater's answers to a question the last one counts."""
    given = await read_json(request, GivenAnswer, service.config.serving.body_s)
    name = _rater(service, key, given.rater)

    def kept() -> TurnAnswer:
        service.desk.record(task, given.question_id, name, given.grade, given.milliseconds)
        return service.desk.turn(task, name, asked.count)

    return _told(await asyncio.to_thread(kept))


@router.get(
    "/tasks/{task_id}/photos/{digest}",
    response_model=None,
    responses={200: {"content": {"image/jpeg": {}}, "description": "a JPEG"}, **problems(401, 404, 422, 503)},
)
async def photo(
    digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="sha256 of the photo, in hex")],
    task: OfTask,
    service: Asked,
    _else: NothingElse,
) -> Response:
    """Return a photo that the task shows, large enough to tell products apart."""
    jpeg = await _in_thread(service, lambda: service.desk.pictures.picture(task, digest))
    if jpeg is None:
        raise Problem("unknown_photo", f"task {task.task_id} shows no photo {digest}, or it is nowhere any more")
    headers = {"Cache-Control": f"private, max-age={KEPT_S}", "ETag": f'"{digest}"'}
    return Response(jpeg, headers=headers, media_type="image/jpeg")


def _rater(service: Service, key: Key, told: str | None) -> str:
    """Return who answers: the name of the key, where the service has keys. Raises Problem."""
    try:
        if isinstance(service.keys, NoKeys):
            return checked_name(told or "")
        name = checked_name(key.name)
        if told is not None and checked_name(told) != name:
            raise Problem("bad_rater", f"the key is that of {name!r}; leave `rater` out, or ask with another key")
        return name
    except AnswersError as error:
        raise Problem("bad_rater", f"{error}; say who answers: `rater`") from error


async def _in_thread[T](service: Service, ask: Callable[[], T]) -> T:
    """Ask the store in a thread. Raises Problem that does not tell what failed: names of objects tell of releases."""
    try:
        return await asyncio.to_thread(ask)
    except (StoreError, StageError) as error:
        logs.warn(f"what raters are shown cannot be read: {error}")
        raise retry_after("store", "its log says why", service.config.serving.poll_s) from error


def _told(value: BaseModel) -> Response:
    """Return an answer that names no release, unlike those of other resources."""
    return Response(value.model_dump_json(), headers={"Cache-Control": "no-store"}, media_type="application/json")
