import subprocess
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.judge.answers import Answers, AnswersError, Progress, checked
from tests.judge.conftest import gold, make_task, pair, repeat
from tests.judge.postgres import Server

TASK = make_task([pair("p0"), pair("p1"), pair("p2", 1), gold("g0", "not")])
AT = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_of_a_raters_answers_to_a_question_the_last_counts(answers: Answers) -> None:
    answers.record(TASK, "p0", "ann", "same", milliseconds=900, answered_at=AT)
    answers.record(TASK, "p1", "ann", "not", answered_at=AT)
    answers.record(TASK, "p0", "ann", "similar", milliseconds=400, answered_at=AT)
    answers.record(TASK, "p0", "bob", "not", answered_at=AT)
    found = [(a.question_id, a.rater, a.grade, a.milliseconds) for a in answers.of(TASK)]
    assert found == [("p0", "ann", "similar", 400), ("p1", "ann", "not", None), ("p0", "bob", "not", None)]
    assert answers.of(TASK)[0].answered_at == "2026-11-29T12:00:00+00:00"


def test_whoever_opens_them_again_goes_on(place: str) -> None:
    with Answers.open(place) as first:
        question = first.next_question(TASK, "ann")
        assert question is not None
        first.record(TASK, question.question_id, "ann", "not")
        following = first.next_question(TASK, "ann")
    with Answers.open(place) as again:
        assert again.next_question(TASK, "ann") == following != question
        assert again.next_question(TASK, " ann\n") == following


def test_progress_counts_what_is_left_for_a_rater(answers: Answers) -> None:
    for rater in ("ann", "bob"):
        answers.record(TASK, "p0", rater, "same")
    answers.record(TASK, "g0", "ann", "not")
    assert answers.progress(TASK, "ann") == Progress(answered=2, left=2)


def test_progress_moves_alike_whatever_kind_of_question_is_answered(answers: Answers) -> None:
    pairs = [pair(f"p{n}") for n in range(30)]
    task = make_task([*pairs, gold("g0", "not"), gold("g1", "same"), *(repeat(f"r{n}", pairs[n]) for n in range(9))])
    told = [answers.progress(task, "ann")]
    kinds = set[str]()
    while question := answers.next_question(task, "ann"):
        kinds.add(task.by_id[question.question_id].kind)
        answers.record(task, question.question_id, "ann", "not")
        told.append(answers.progress(task, "ann"))
    assert kinds == {"pair", "gold", "repeat"}
    assert told == [Progress(n, len(told) - 1 - n) for n in range(len(told))]


def test_a_rater_is_done_when_nothing_is_left(answers: Answers) -> None:
    while question := answers.next_question(TASK, "ann"):
        answers.record(TASK, question.question_id, "ann", "not")
    assert {a.question_id for a in answers.of(TASK)} >= {"p0", "p1", "p2"}


def test_the_questions_ahead_are_those_that_come(answers: Answers) -> None:
    ahead = answers.next_questions(TASK, "ann", 9)
    assert len(ahead) == len(set(ahead)) >= len(TASK.pairs)
    for question in ahead:
        assert answers.next_question(TASK, "ann") == question
        answers.record(TASK, question.question_id, "ann", "not")
    assert answers.next_questions(TASK, "ann", 9) == []


def test_the_newest_answer_is_the_one_that_came_last(answers: Answers) -> None:
    assert answers.newest(TASK, "ann") is None
    for question, rater, grade in (
        ("p0", "ann", "same"),
        ("p1", "ann", "not"),
        ("p0", "ann", "not"),
        ("p1", "bob", "same"),
    ):
        answers.record(TASK, question, rater, grade)
    newest = answers.newest(TASK, " ann")
    assert newest is not None
    assert (newest.question_id, newest.grade) == ("p0", "not")
    left = answers.newest(TASK.without({"p0"}), "ann")
    assert left is not None
    assert left.question_id == "p1"


def test_answers_to_another_task_are_not_counted(answers: Answers) -> None:
    answers.record(TASK, "p0", "ann", "same")
    other = make_task([pair("p0")])
    object.__setattr__(other, "task_id", "t2")
    assert answers.of(other) == []


def test_many_are_kept_at_once_and_those_that_count_already_are_not_kept_again(answers: Answers) -> None:
    many = [checked(TASK, "p0", "ann", "same"), checked(TASK, "p1", "ann", "not")]
    assert answers.record_all(TASK, many) == 2
    assert answers.record_all(TASK, [*many, checked(TASK, "p2", "ann", "not")]) == 1


@pytest.mark.parametrize(
    ("question", "rater", "grade", "milliseconds", "message"),
    [
        ("p9", "ann", "same", None, "task t1 has no question 'p9'"),
        ("p0", "ann", "good", None, "'good' is no grade; it is one of same, similar, not"),
        ("p0", " \t", "same", None, "is no rater's name"),
        ("p0", "a" * 101, "same", None, "is no rater's name: 1 to 100 letters"),
        ("p0", "ann\x00", "same", None, "is no rater's name"),
        ("p0", "ann", "same", -1, "-1 is no number of milliseconds"),
    ],
)
def test_what_cannot_be_kept_is_told(
    answers: Answers, question: str, rater: str, grade: str, milliseconds: int | None, message: str
) -> None:
    with pytest.raises(AnswersError, match=message):
        answers.record(TASK, question, rater, grade, milliseconds=milliseconds)
    assert answers.of(TASK) == []


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "words.sqlite").write_text("words" * 1000)
    with pytest.raises(AnswersError, match=r"words\.sqlite cannot be read or kept: file is not a database"):
        Answers.open(str(tmp_path / "words.sqlite"))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("ann:secret@127.0.0.1:1/judge", "ann:***@127.0.0.1:1/judge cannot be read or kept: connection failed"),
        ("127.0.0.1:1/judge?user=ann&password=secret", "password=hidden"),
        ("ann:secret@127.0.0.1:port/judge", "is no address of a database"),
        ("ann:se@secret@127.0.0.1/judge", "@ as %40"),
        ("ann:se@x:secret/judge", "is no address of a database"),
    ],
    ids=["no server", "as a parameter", "no port", "an @ in it", "no host"],
)
def test_a_password_is_told_neither_in_a_message_nor_in_its_traceback(address: str, told: str) -> None:
    with pytest.raises(AnswersError) as error:
        Answers.open(f"postgresql://{address}")
    assert told in str(error.value)
    assert "secret" not in "".join(traceback.format_exception(error.value)).replace(address, "")


WRITER = """
import sys
from pipelines.judge.answers import Answers
from tests.judge.test_answers import TASK
with Answers.open(sys.argv[1]) as answers:
    for n in range(30):
        answers.record(TASK, "p0", f"{sys.argv[2]}{n}", "same")
"""


def test_processes_write_at_once(place: str) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, place, name]) for name in ("ann", "bob")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    with Answers.open(place) as answers:
        assert len(answers.of(TASK)) == 60


def test_a_database_that_was_away_is_told_and_asked_again(postgres: Server) -> None:
    with Answers.open(postgres.database()) as answers:
        answers.record(TASK, "p0", "ann", "same")
        postgres.end()
        with pytest.raises(AnswersError, match="cannot be read or kept"):
            answers.record(TASK, "p1", "ann", "same")
        postgres.start()
        answers.record(TASK, "p2", "ann", "not")
        assert [answer.question_id for answer in answers.of(TASK)] == ["p0", "p2"]
