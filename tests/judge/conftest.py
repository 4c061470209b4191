from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.judge.answers import Answers
from pipelines.judge.task import Grade, Pair, Question, Shown, Task
from pipelines.releases.verdicts import Judged
from tests.embed.world import export_tiny
from tests.judge.postgres import Server, serving
from tests.judge.shop import JudgedShop, make_shop
from tests.serving.shop import HEIGHT, WIDTH

SECRET = "a secret"
MakeTask = Callable[..., Task]


@pytest.fixture(scope="session")
def made_shop(tmp_path_factory: pytest.TempPathFactory) -> JudgedShop:
    """A shop with two releases that have most items in common; not to change."""
    root = tmp_path_factory.mktemp("judge")
    export_tiny(root / "model", 0, HEIGHT, WIDTH)
    return make_shop(root / "shop", root / "model")


@pytest.fixture
def shop(made_shop: JudgedShop, tmp_path: Path) -> JudgedShop:
    """A copy of the shop that a test may change."""
    return made_shop.copied(tmp_path / "shop")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL; skips where none is installed."""
    with serving() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where answers are kept, empty: a file, and a database of a real server."""
    if request.param == "sqlite":
        return str(tmp_path / "new" / "answers.sqlite")
    server: Server = request.getfixturevalue("postgres")
    return server.database()


@pytest.fixture
def answers(place: str) -> Iterator[Answers]:
    with Answers.open(place) as opened:
        yield opened


def shown(name: str) -> Shown:
    return Shown(name, name.encode().hex().rjust(64, "0"), f"{name}.jpg", name.title(), ("Shoes",))


def pair(name: str, place: int = 0, first: int | None = 0, second: int | None = None) -> Question:
    return Question(Pair(name, shown(f"query{place}"), shown(name)), "pair", place, first, second)


def gold(name: str, expected: Grade) -> Question:
    return Question(Pair(name, shown(f"{name}-query"), shown(name)), "gold", expected=expected)


def repeat(name: str, of: Question) -> Question:
    return Question(Pair(name, of.pair.query, of.pair.result), "repeat", of.place, repeats=of.question_id)


def make_task(questions: list[Question], *, raters: int = 2, margin: float = 0.03) -> Task:
    releases = Judged("a", "m1", "i1"), Judged("b", "m2", "i2")
    return Task(
        "t1", SECRET, *releases, "2026-11-29T12:00:00+00:00", 1, raters, margin, 0.95, ("a note",), tuple(questions)
    )
