"""Where raters are asked and answer: tasks, pictures, and the place of the answers, opened when it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from pipelines.config import Config
from pipelines.judge.answers import Answers, AnswersError
from pipelines.judge.task import Grade, Pair, Task
from pipelines.store import Store
from pipelines.telemetry import logs
from serving.judge.pictures import Pictures
from serving.judge.schemas import AskedModel, GivenModel, ProgressModel, ShownModel, TurnAnswer
from serving.judge.tasks import Tasks
from serving.problems import Problem, retry_after

AGAIN_S: Final = 5
"""After how long a rater may try again where answers cannot be kept."""
FIX: Final = (
    "judge.answers must name a file that the service may write, or postgresql://USER@HOST/DATABASE; its log says why"
)


class Desk:
    """The judging of one service. All methods may be called from several threads; they wait for what they ask."""

    def __init__(self, config: Config, store: Store) -> None:
        self.tasks, self.pictures = Tasks(store), Pictures(config, store)
        self._place, self._opening = config.answers, Lock()
        self._answers: Answers | None = None

    def close(self) -> None:
        """Close the place of the answers, after the last rater."""
        if self._answers is not None:
            self._answers.close()

    def turn(self, task: Task, rater: str, count: int) -> TurnAnswer:
        """Return what a rater is asked next, what they said last, and how far they are. Raises Problem."""
        with self._opened() as answers:
            ahead, newest = answers.next_questions(task, rater, count), answers.newest(task, rater)
            last = (
                None
                if newest is None
                else GivenModel(question=_asked(task, task.by_id[newest.question_id].pair), grade=newest.grade)
            )
            questions = [_asked(task, pair) for pair in ahead]
            progress = _progress(answers, task, rater)
        return TurnAnswer(task_id=task.task_id, rater=rater, questions=questions, last=last, progress=progress)

    def progress(self, task: Task, rater: str) -> ProgressModel:
        """Return how far a rater is. Raises Problem."""
        with self._opened() as answers:
            return _progress(answers, task, rater)

    def record(self, task: Task, question_id: str, rater: str, grade: Grade, milliseconds: int | None) -> None:
        """Keep one answer. Raises Problem."""
        if question_id not in task.by_id:
            raise Problem("unknown_question", f"task {task.task_id} asks no question {question_id!r}, or no more")
        with self._opened() as answers:
            answers.record(task, question_id, rater, grade, milliseconds=milliseconds)

    @contextmanager
    def _opened(self) -> Iterator[Answers]:
        """Give the answers. Raises Problem where they cannot be read or kept; why is for the log alone."""
        try:
            with self._opening:
                if self._answers is None:
                    self._answers = Answers.open(self._place)
            yield self._answers
        except AnswersError as error:
            logs.warn(f"answers of raters cannot be read or kept: {error}")
            raise retry_after("no_answers", FIX, AGAIN_S) from error


def _progress(answers: Answers, task: Task, rater: str) -> ProgressModel:
    found = answers.progress(task, rater)
    return ProgressModel(answered=found.answered, left=found.left)


def _asked(task: Task, pair: Pair) -> AskedModel:
    query, result = (
        ShownModel(photo=f"/v1/judge/tasks/{task.task_id}/photos/{shown.digest}", title=shown.title or None)
        for shown in (pair.query, pair.result)
    )
    return AskedModel(question_id=pair.question_id, query=query, result=result)
