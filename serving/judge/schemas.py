"""What raters are told and say, as the OpenAPI description tells it. Nothing here says which release found what."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pipelines.judge.answers import MOST_MS
from pipelines.judge.task import Grade
from serving.schemas import Parameters

LONGEST_ID = 100


class RaterParameter(Parameters):
    """Who answers."""

    rater: str | None = Field(None, description="left out, the key's name", examples=["Ann"])


class CountParameter(Parameters):
    """How much is told of what comes next."""

    count: Annotated[int, Field(ge=1, le=20, description="questions, to fetch the photos of those ahead")] = 1


class NextParameters(RaterParameter, CountParameter):
    """What a rater asks for."""


class ShownModel(BaseModel):
    """One of the two photos of a question."""

    photo: str = Field(description="the photo, from this service")
    title: str | None = None


class AskedModel(BaseModel):
    """A question: is the result the same product as the query, a similar one, or not?"""

    question_id: str
    query: ShownModel
    result: ShownModel


class GivenModel(BaseModel):
    """The answer that a rater gave last; another one to the same question takes its place."""

    question: AskedModel
    grade: Grade


class ProgressModel(BaseModel):
    """How far a rater is."""

    answered: int = Field(description="questions that the rater has answered")
    left: int = Field(description="questions that are left for the rater, if all others stopped")


class TurnAnswer(BaseModel):
    """What a rater is asked next, if all others stopped; nothing once all is answered."""

    task_id: str
    rater: str
    questions: list[AskedModel]
    last: GivenModel | None
    progress: ProgressModel


class ProgressAnswer(BaseModel):
    """How far a rater is with a task."""

    task_id: str
    rater: str
    progress: ProgressModel


class TaskModel(BaseModel):
    """A task of judging."""

    task_id: str
    created_at: str
    decided: bool


class TasksAnswer(BaseModel):
    """The newest tasks, newest first, and who asks: the name of the key, null where the service has no keys."""

    rater: str | None
    tasks: list[TaskModel]


class GivenAnswer(BaseModel):
    """What a rater says."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question_id: str = Field(max_length=LONGEST_ID)
    grade: Grade
    rater: str | None = Field(None, description="who answers; left out, the key's name")
    milliseconds: Annotated[int, Field(ge=0, le=MOST_MS)] | None = Field(None, description="how long the rater looked")
