import csv
from pathlib import Path

import pytest

from pipelines.errors import StageError
from pipelines.judge.answers import Answers
from pipelines.judge.sheets import COLUMNS, read_sheet, write_sheet
from pipelines.judge.task import Pair, Question, Shown
from tests.judge.conftest import gold, make_task, pair, repeat

PAIRS = [pair(f"p{n}", n // 8) for n in range(24)]
TASK = make_task([*PAIRS, *(gold(f"g{n}", "not") for n in range(3)), repeat("r0", PAIRS[0])])


def saved(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "sheet.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_sheet_asks_what_a_rater_would_be_asked(answers: Answers, tmp_path: Path) -> None:
    answers.record(TASK, "p3", "ann", "not")
    count = write_sheet(TASK, tmp_path / "ann.csv", "ann", answers)
    raw = (tmp_path / "ann.csv").read_bytes()
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert raw.startswith(b"\xef\xbb\xbf")
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == count
    asked = [row["question"] for row in rows]
    assert {*asked} >= {q.question_id for q in PAIRS} - {"p3"}
    assert "p3" not in asked
    assert {"g0", "g1", "g2"} & {*asked}
    assert {row["rater"] for row in rows} == {"ann"}
    public = " ".join(cell for row in rows for cell in row.values())
    assert "gold" not in public
    assert "rank" not in public


def test_what_was_filled_in_comes_back(answers: Answers, tmp_path: Path) -> None:
    write_sheet(TASK, tmp_path / "ann.csv", "ann", answers)
    text = (tmp_path / "ann.csv").read_text(encoding="utf-8-sig").replace(",,ann", ",same,ann")
    sheet = read_sheet(TASK, saved(tmp_path, text), None)
    assert (sheet.empty, sheet.problems) == (0, ())
    assert answers.record_all(TASK, sheet.answers) == len(sheet.answers) >= 24
    assert answers.record_all(TASK, sheet.answers) == 0


@pytest.mark.parametrize(
    "text",
    [
        "question,grade,rater\np0,same,ann\np1,not,ann\n",
        "\ufeffquestion;grade;rater\r\np0; SAME ;ann\r\np1;Not;ann\r\n",
        "Rater\tQuestion \tGRADE\nann\tp0\tSame\nann\tp1\tnot\n",
        '"question","comment","grade","rater"\n"p0","a ""b"", c","same","ann"\n"p1","two\nlines","not","ann"\n',
        "question,grade,rater\n\np0,same,ann,,,\n,,\np1,not,ann\n",
        "question,grade,rater\np0,same,ann\np1,not,ann\n".encode("utf-16"),
        "question;grade;rater;note\np0;same;ann;für\np1;not;ann;\n".encode("cp1252"),
    ],
    ids=["plain", "excel", "tabs", "quoted", "gaps", "utf-16", "cp1252"],
)
def test_whatever_excel_makes_of_it_is_read(tmp_path: Path, text: str | bytes) -> None:
    sheet = read_sheet(TASK, saved(tmp_path, text), None)
    found = [(a.question_id, a.rater, a.grade) for a in sheet.answers]
    assert found == [("p0", "ann", "same"), ("p1", "ann", "not")]
    assert sheet.problems == ()


def test_bad_rows_are_named_and_the_others_count(tmp_path: Path) -> None:
    text = "question,grade,rater\np0,same,ann\np99,same,ann\np1,good,ann\np2,,ann\np3,not,\n"
    sheet = read_sheet(TASK, saved(tmp_path, text), None)
    assert [a.question_id for a in sheet.answers] == ["p0"]
    assert sheet.empty == 1
    assert sheet.problems == (
        "line 3: task t1 has no question 'p99'",
        "line 4: 'good' is no grade; it is one of same, similar, not",
        "line 6: '' is no rater's name: 1 to 100 letters, in one line",
    )


def test_a_rater_may_be_named_for_all(tmp_path: Path) -> None:
    sheet = read_sheet(TASK, saved(tmp_path, "question,grade\np0,same\n"), "bob")
    assert [a.rater for a in sheet.answers] == ["bob"]


@pytest.mark.parametrize(
    ("text", "message"), [("", "has no column 'question'"), ("question,rater\n", "has no column 'grade'")]
)
def test_what_is_no_sheet_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(StageError, match=message):
        read_sheet(TASK, saved(tmp_path, text), None)


def test_a_sheet_that_is_there_is_not_written_over(answers: Answers, tmp_path: Path) -> None:
    with pytest.raises(StageError, match="is there already, and may hold answers"):
        write_sheet(TASK, saved(tmp_path, "p0,same\n"), "", answers)


def test_no_cell_is_a_formula(answers: Answers, tmp_path: Path) -> None:
    evil = Question(
        Pair("p0", Shown("i", "00" * 32, "=cmd()", "@x"), Shown("j", "00" * 32, "+1", "fine")), "pair", 0, 0
    )
    write_sheet(make_task([evil]), tmp_path / "s.csv", "", answers)
    [row] = csv.DictReader((tmp_path / "s.csv").read_text(encoding="utf-8-sig").splitlines())
    assert (row["query_photo"], row["query_title"], row["result_photo"]) == ("'=cmd()", "'@x", "'+1")
    assert row["result_title"] == "fine"
