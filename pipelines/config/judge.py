"""How people judge two releases: `visual-search judge`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from pipelines.config.base import Positive, Section, Share
from pipelines.config.places import in_web, is_far, validated_place

_DATABASE = re.compile(r"(?:postgresql|postgres)(?:\+\w+)?://", re.IGNORECASE)


def in_database(answers: str) -> bool:
    """Tell whether answers are kept in PostgreSQL, and not in a file."""
    return _DATABASE.match(answers) is not None


def _file_or_database(value: str, info: ValidationInfo) -> str:
    if in_database(value):
        return value
    if is_far(value) or in_web(value):
        raise ValueError(
            "is neither a file of this machine nor a database; write a path, or postgresql://USER@HOST/DATABASE"
        )
    return validated_place(value, info)


class JudgeSection(Section):
    """What a task asks, where answers are kept, and when it is decided."""

    answers: Annotated[str, AfterValidator(_file_or_database)] = Field(
        "judge-answers.sqlite", description="a file of SQLite, or postgresql://USER@HOST/DATABASE"
    )
    queries: Positive = 200
    raters: Positive = Field(3, description="people who answer each question")
    demand: str | None = Field(None, description="our name of the signal that says how often customers ask an item")
    gold: Annotated[int, Field(ge=0)] = Field(20, description="questions whose answer the catalogue knows")
    repeats: Share = Field(0.1, description="questions that are asked once more, later")
    margin: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.03, description="of graded precision; a difference below it does not matter"
    )
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = Field(0.95, description="of all that is decided")
    rater_quality: Share = Field(0.6, description="raters below it are named in the report")
