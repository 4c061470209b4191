"""A page of pictures: each query beside its results, in one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.neighbours.results import Result
from pipelines.search.answers import Answer
from pipelines.search.output import printable
from pipelines.search.pictures import Pictures

TEMPLATES = Path(__file__).parent / "templates"
MAX_QUERIES = 300
"""About 100 KB of pictures a query: more would be a page that no browser likes."""

ITSELF = 0.9995
BETWEEN = " › "


@dataclass(frozen=True)
class Card:
    """One result with its picture."""

    result: Result
    picture: str

    @property
    def is_itself(self) -> bool:
        """Whether it is the photo asked with, or looks as if: the number beside it reads 1.000."""
        return self.result.score >= ITSELF

    @property
    def leaf(self) -> str:
        """The last two parts of the category: one alone, such as Black, may say little."""
        return BETWEEN.join(self.result.category[-2:])

    @property
    def path(self) -> str:
        """The category above these."""
        return BETWEEN.join(self.result.category[:-2])


@dataclass(frozen=True)
class Row:
    """One query with its picture and its results."""

    answer: Answer
    picture: str
    cards: tuple[Card, ...]


def render_page(answers: Sequence[Answer], pictures: Pictures, release_id: str, left_out: int = 0) -> str:
    """Return the page; `left_out` says how many more queries were asked than it shows."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.filters["printable"] = printable
    rows = [_row(answer, pictures) for answer in answers]
    failed = sum(answer.failed for answer in answers)
    return environment.get_template("page.html").render(
        rows=rows, release_id=release_id, failed=failed, left_out=left_out
    )


def _row(answer: Answer, pictures: Pictures) -> Row:
    if answer.failed:
        return Row(answer, "", ())
    own = pictures.of_query(answer.query, answer.photo) if answer.photo else pictures.of_item(answer.query)
    cards = (Card(result, pictures.of_photo(result.item_id, result.image_uri)) for result in answer.results)
    return Row(answer, own, tuple(cards))
