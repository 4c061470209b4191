"""What stands on stderr when lines are to be JSON: one object a line, errors and libraries' lines too."""

import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.telemetry import logs
from pipelines.telemetry.progress import Progress

CRASH = """
from pipelines import cli
from pipelines.runs import sequence
def broken(*_, **__):
    raise ZeroDivisionError("nobody expected this")
sequence.open_run = broken
cli.main()
"""
CONFIG = """
store.uri = "store"
[catalogue]
snapshot = "feed.csv"
columns = { item_id = "id", photos = "photo", category = "path" }
"""


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    logs.set_up("text")
    logging.captureWarnings(False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_text_is_as_it_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("text")
    logs.bind(run_id="r", stage="embed")
    Progress().say("embed: 3 photos", total=3)
    logs.fail("no such thing", 1)
    assert capsys.readouterr().err == "embed: 3 photos\nvisual-search: no such thing\n"


def test_a_line_names_the_run_and_the_stage(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("json")
    logs.bind(run_id="r", stage="embed")
    progress = Progress()
    progress.say("a")
    with progress.watch("embed: photos", 12, lambda: 0):
        pass
    logs.bind(stage="index")
    logging.getLogger("apache_beam").warning("slow %s", "step")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("odd", stacklevel=1)
    logs.fail("refused: recall", 3)
    first, watched, beam, odd, failed = lines(capsys)
    assert set(first) == {"time", "severity", "logger", "message", "run_id", "stage"}
    assert (first["severity"], first["logger"], first["message"]) == ("INFO", "visual_search", "a")
    assert (watched["total"], watched["stage"]) == (12, "embed")
    assert isinstance(watched["seconds"], float)
    assert (beam["severity"], beam["logger"], beam["message"]) == ("WARNING", "apache_beam", "slow step")
    assert "odd" in str(odd["message"])
    assert (failed["severity"], failed["exit_code"], failed["message"]) == ("ERROR", 3, "refused: recall")
    assert {line["stage"] for line in (beam, odd, failed)} == {"index"}


def test_what_was_said_is_not_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    for say in (progress.say, progress.remind, progress.remind):
        say("embed: nothing new")
    progress.remind("embed: 3 rejected")
    assert capsys.readouterr().err == "embed: nothing new\nembed: 3 rejected\n"


def test_quiet_silences_progress_and_not_errors(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("json")
    Progress(quiet=True).say("a")
    logs.fail("b", 1)
    assert [line["message"] for line in lines(capsys)] == ["b"]


@pytest.mark.parametrize(("arguments", "code"), [(["--config", "absent.toml"], 2), (["--nonsense"], 2)])
def test_the_command_line_takes_it_from_its_option_or_the_environment(
    arguments: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stderr(*options: str) -> str:
        command = [sys.executable, "-m", "pipelines.cli", *options, "run", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
        assert done.returncode == code
        return done.stderr

    with_option = stderr("--log-format", "json")
    monkeypatch.setenv("VISUAL_SEARCH_LOG_FORMAT", "json")
    with_variable = stderr()
    if arguments[0] == "--config":
        for text in (with_option, with_variable):
            assert json.loads(text)["message"].startswith("there is no config file 'absent.toml'")
    else:  # who types a wrong option is a person
        assert with_option == with_variable
        assert "No such option" in with_option


def test_what_nobody_expected_is_one_line_with_its_stack(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(CONFIG)
    options = ["--log-format", "json", "run", "--config", str(tmp_path / "shop.toml")]
    command = [sys.executable, "-c", CRASH, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 1
    (line,) = [json.loads(text) for text in done.stderr.splitlines()]
    assert (line["severity"], line["message"]) == ("CRITICAL", "ZeroDivisionError: nobody expected this")
    assert "in broken" in line["exc_info"]
