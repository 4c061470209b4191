"""Questions as a CSV file for raters elsewhere, and their answers back; Excel may have saved it in between."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.errors import StageError
from pipelines.judge.answers import Answer, Answers, AnswersError, checked
from pipelines.judge.task import Pair, Task

COLUMNS: Final = ("question", "query_photo", "query_title", "result_photo", "result_title", "grade", "rater")
NEEDED: Final = ("question", "grade")
DELIMITERS: Final = ",;\t"


@dataclass(frozen=True)
class Sheet:
    """What a file holds: answers, how many rows have none yet, and what is wrong with which lines."""

    answers: tuple[Answer, ...]
    empty: int
    problems: tuple[str, ...]


def write_sheet(task: Task, path: Path, rater: str, answers: Answers) -> int:
    """Write what a rater is asked, in their order, with gold and repeats between; return how many questions.

    What was answered already is left out. Raises StageError when the file is there or cannot be written.
    """
    rows = [_row(question.pair, rater) for question in answers.ahead(task, rater)]
    try:
        with path.open("x", encoding="utf-8-sig", newline="") as file:  # the mark by which Excel knows UTF-8
            writer = csv.writer(file)
            writer.writerows([COLUMNS, *rows])
    except FileExistsError as error:
        raise StageError(f"{path} is there already, and may hold answers; choose another name") from error
    except OSError as error:
        raise StageError(f"{path} cannot be written ({error.strerror}); choose another place") from error
    return len(rows)


def read_sheet(task: Task, path: Path, rater: str | None) -> Sheet:
    """Return the answers of a file; `rater` names who gave those of rows that name nobody.

    Raises StageError when the file cannot be read, or has no columns `question` and `grade`.
    """
    text = _text_of(path)
    heading = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=heading.count))
    columns = {name.strip().casefold(): n for n, name in enumerate(next(reader, []))}
    lacking = [name for name in NEEDED if name not in columns]
    if lacking:
        raise StageError(f"{path} has no column {lacking[0]!r}; its first line must name {', '.join(NEEDED)}")
    answers, problems, empty = list[Answer](), list[str](), 0
    for row in reader:
        cells = {name: row[n].strip() if n < len(row) else "" for name, n in columns.items()}
        if not cells["grade"]:
            empty += any(cells.values())
            continue
        try:
            name = cells.get("rater") or rater or ""
            answers.append(checked(task, cells["question"], name, cells["grade"].casefold()))
        except AnswersError as error:
            problems.append(f"line {reader.line_num}: {error}")
    return Sheet(tuple(answers), empty, tuple(problems))


def _row(pair: Pair, rater: str) -> tuple[str, ...]:
    shown = (pair.query.image_uri, pair.query.title, pair.result.image_uri, pair.result.title)
    return (pair.question_id, *map(_as_text, shown), "", rater)


def _as_text(value: str) -> str:
    """Return a cell that no program of tables takes for a formula."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def _text_of(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StageError(f"{path} cannot be read ({error.strerror}); name a file that `judge export` wrote") from error
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")  # Excel's "CSV" in the west
