"""What people answered: an append-only table, in a file of SQLite or in PostgreSQL. Safe from several processes.

Nothing is changed or removed: of a rater's answers to a question the last one counts, and the first says when they were
asked it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self

import sqlalchemy as sql
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from pipelines.config.judge import in_database
from pipelines.errors import StageError
from pipelines.judge import order
from pipelines.judge.task import GRADES, Grade, Pair, Question, Task

BUSY_MS: Final = 30_000
"""How long a writer waits for another one."""
LONGEST_NAME: Final = 100
MOST_MS: Final = 2**31 - 1
HIDDEN: Final = "hidden"
NO_ADDRESS: Final = (
    "judge.answers is no address of a database, and is not shown, for a password may stand in it; write "
    "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, and @ as %40, : as %3A, / as %2F within the password"
)

_tables = sql.MetaData()
ANSWERS = sql.Table(
    "answers",
    _tables,
    sql.Column("id", sql.BigInteger().with_variant(sql.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sql.Column("task", sql.String(100), nullable=False),
    sql.Column("question", sql.String(100), nullable=False),
    sql.Column("rater", sql.String(LONGEST_NAME), nullable=False),
    sql.Column("grade", sql.String(10), nullable=False),
    sql.Column("answered_at", sql.String(40), nullable=False),
    sql.Column("milliseconds", sql.Integer),
    sql.Index("answers_of_task", "task", "question", "rater", "id"),
)


class AnswersError(StageError):
    """Answers cannot be read or kept; the message says where, and what to do."""


@dataclass(frozen=True)
class Answer:
    """One answer that counts; `answered_at` is UTC, ISO 8601, `milliseconds` how long it took, None if unknown."""

    question_id: str
    rater: str
    grade: Grade
    answered_at: str
    milliseconds: int | None = None


@dataclass(frozen=True)
class Progress:
    """How far a rater is: questions answered, and those left for them, gold and repeats among both."""

    answered: int
    left: int


class Answers:
    """The answers to all tasks. Safe to share between threads."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine, self._where = engine, where

    @classmethod
    def open(cls, place: str) -> Self:
        """Open a file of SQLite, or a database by its address; make what is not there.

        Raises AnswersError when it cannot be reached, or its driver is missing.
        """
        try:
            engine = _in_database(place) if in_database(place) else _in_file(Path(place))
            opened = cls(engine, _without_passwords(engine.url))
            with opened._told():
                _make_table(engine)
        except OSError as error:
            raise AnswersError(f"judge.answers = {place!r} cannot be opened: {error}") from error
        except ModuleNotFoundError as error:
            raise AnswersError(f"{error}; install the extra: pip install 'visual-search[postgres]'") from error
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def record(
        self,
        task: Task,
        question_id: str,
        rater: str,
        grade: str,
        *,
        milliseconds: int | None = None,
        answered_at: datetime | None = None,
    ) -> None:
        """Keep one answer. Raises AnswersError for an unknown question or grade, or a rater without a name."""
        answer = checked(task, question_id, rater, grade, milliseconds, answered_at)
        with self._connected() as connection:
            connection.execute(ANSWERS.insert().values(task=task.task_id, **_columns(answer)))

    def record_all(self, task: Task, answers: Sequence[Answer]) -> int:
        """Keep `checked` answers, all or none, but for those that count already as they are; return how many."""
        kept = {(answer.question_id, answer.rater): answer.grade for answer in self.of(task)}
        new = [answer for answer in answers if kept.get((answer.question_id, answer.rater)) != answer.grade]
        with self._connected() as connection:
            for answer in new:
                connection.execute(ANSWERS.insert().values(task=task.task_id, **_columns(answer)))
        return len(new)

    def of(self, task: Task) -> list[Answer]:
        """Return the answers to a task that count, in the order in which raters were first asked."""
        query = sql.select(ANSWERS).where(ANSWERS.c.task == task.task_id).order_by(ANSWERS.c.id)
        with self._connected() as connection:
            answers = _counted(task, connection.execute(query))
            return list({(answer.question_id, answer.rater): answer for answer in answers}.values())

    def next_question(self, task: Task, rater: str) -> Pair | None:
        """Return what a rater is asked next, None when there is nothing left; the same until it is answered."""
        return next(iter(self.next_questions(task, rater, 1)), None)

    def next_questions(self, task: Task, rater: str, count: int) -> list[Pair]:
        """Return at most `count` questions that a rater is asked next, in order, if all others stopped."""
        return [question.pair for question in islice(self.ahead(task, checked_name(rater)), count)]

    def ahead(self, task: Task, rater: str) -> Iterator[Question]:
        """Return what a rater, "" for one without a name yet, is asked from now on, if all others stopped."""
        return order.upcoming(task, rater, self._own(task, rater), self._counts(task))

    def newest(self, task: Task, rater: str) -> Answer | None:
        """Return the answer that a rater gave last, None before the first."""
        mine = sql.select(ANSWERS).where(ANSWERS.c.task == task.task_id, ANSWERS.c.rater == checked_name(rater))
        with self._connected() as connection:
            return next(_counted(task, connection.execute(mine.order_by(ANSWERS.c.id.desc()))), None)

    def progress(self, task: Task, rater: str) -> Progress:
        """Return how far a rater is."""
        name = checked_name(rater)
        own = self._own(task, name)
        return Progress(len(own), order.left_for(task, name, own, self._counts(task)))

    def _own(self, task: Task, rater: str) -> list[str]:
        """Return the questions that a rater has answered, each once, oldest first."""
        query = sql.select(ANSWERS.c.question).where(ANSWERS.c.task == task.task_id, ANSWERS.c.rater == rater)
        with self._connected() as connection:
            rows = connection.execute(query.group_by(ANSWERS.c.question).order_by(sql.func.min(ANSWERS.c.id)))
            return [row.question for row in rows if row.question in task.by_id]

    def _counts(self, task: Task) -> Mapping[str, int]:
        """Return how many people answered each question."""
        people = sql.func.count(sql.distinct(ANSWERS.c.rater)).label("people")
        query = sql.select(ANSWERS.c.question, people).where(ANSWERS.c.task == task.task_id)
        with self._connected() as connection:
            return {row.question: row.people for row in connection.execute(query.group_by(ANSWERS.c.question))}

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Give a connection in one transaction."""
        with self._told(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sql.exc.DBAPIError as error:
            raise AnswersError(f"the answers in {self._where} cannot be read or kept: {error.orig}") from error


def checked(
    task: Task,
    question_id: str,
    rater: str,
    grade: str,
    milliseconds: int | None = None,
    answered_at: datetime | None = None,
) -> Answer:
    """Return an answer as it is kept. Raises AnswersError that names what is wrong."""
    if question_id not in task.by_id:
        raise AnswersError(f"task {task.task_id} has no question {question_id!r}")
    found = next((known for known in GRADES if known == grade), None)
    if found is None:
        raise AnswersError(f"{grade!r} is no grade; it is one of {', '.join(GRADES)}")
    if milliseconds is not None and not 0 <= milliseconds <= MOST_MS:
        raise AnswersError(f"{milliseconds} is no number of milliseconds that an answer takes")
    at = (answered_at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")
    return Answer(question_id, checked_name(rater), found, at, milliseconds)


def checked_name(rater: str) -> str:
    """Return a rater's name as it is kept. Raises AnswersError for none, a long one, or one that cannot be shown."""
    name = " ".join(rater.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise AnswersError(f"{rater[:LONGEST_NAME]!r} is no rater's name: 1 to {LONGEST_NAME} letters, in one line")
    return name


def _counted(task: Task, rows: Iterable[Any]) -> Iterator[Answer]:
    """Return the answers of rows, but for those to questions, or of grades, that the task has not."""
    return (_answer(row) for row in rows if row.question in task.by_id and row.grade in GRADES)


def _answer(row: Any) -> Answer:
    return Answer(row.question, row.rater, row.grade, row.answered_at, row.milliseconds)


def _columns(answer: Answer) -> dict[str, Any]:
    return {
        "question": answer.question_id,
        "rater": answer.rater,
        "grade": answer.grade,
        "answered_at": answer.answered_at,
        "milliseconds": answer.milliseconds,
    }


def _in_database(url: str) -> Engine:
    try:
        parsed = sql.make_url(url)
    except (sql.exc.ArgumentError, ValueError):
        raise AnswersError(NO_ADDRESS) from None  # what it could not read may be a part of the password
    if "@" in (parsed.host or ""):
        raise AnswersError(NO_ADDRESS)
    return sql.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)


def _without_passwords(url: sql.URL) -> str:
    """Return an address to be told: neither of the places where one may write a password is shown."""
    hidden = {name: HIDDEN for name in url.query if "password" in name.casefold()}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def _in_file(path: Path) -> Engine:
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sql.create_engine(sql.URL.create("sqlite", database=str(path)))
    sql.event.listen(engine, "connect", _with_several_writers)
    return engine


def _with_several_writers(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    # Whoever waits for the first of all to change the journal needs the patience too, so it comes first.
    for setting in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _make_table(engine: Engine) -> None:
    try:
        _tables.create_all(engine)
    except (sql.exc.OperationalError, sql.exc.ProgrammingError, sql.exc.IntegrityError):
        if not sql.inspect(engine).has_table(ANSWERS.name):
            raise  # else another process was faster
