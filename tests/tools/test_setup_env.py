import json
import multiprocessing
import shutil
import sys
import time
from pathlib import Path

import pytest

from tools import host, installer, setup_env, wheels
from tools.host import HostError, Interpreter
from tools.installer import Installer, InstallError

PYTHON = Interpreter(Path(sys.executable), (3, 12, 1), Path("/include"), has_pip=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which everything that decides the environment is one short file."""
    root = tmp_path / "checkout"
    for name in ("requirements/pipeline.txt", "requirements/dev.txt", "setup.py", "pyproject.toml", "tools/wheels.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n")
    return root


class Machine:
    """Stands in for all that installs; writes down what was done."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.fails_at = ""
        self.seconds = 0.0

    def note(self, step: str) -> None:
        with self.log.open("a") as file:
            file.write(f"{step}\n")
        time.sleep(self.seconds)
        if step == self.fails_at:
            raise InstallError(f"exit code 1 from: {step}")

    def run(self, command: list[str]) -> None:
        venv = Path(command[-1])
        (venv / "bin").mkdir(parents=True)
        (venv / "bin" / "python").symlink_to(sys.executable)
        self.note("venv")

    @property
    def steps(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    machine = Machine(tmp_path / "log")
    monkeypatch.setattr(host, "check_platform", lambda: (2, 39))
    monkeypatch.setattr(host, "find_interpreter", lambda: PYTHON)
    monkeypatch.setattr(host, "check_compiler", lambda _compiler, _interpreter: None)
    monkeypatch.setattr(host, "probe", lambda _path: PYTHON)
    monkeypatch.setattr(installer, "run", machine.run)
    monkeypatch.setattr(Installer, "find", lambda python, _cache, _extra: Installer("uv", python, {}))
    monkeypatch.setattr(Installer, "sync", lambda _self, _locks, _house: machine.note("sync"))
    monkeypatch.setattr(Installer, "install_editable", lambda _self, _root: machine.note("project"))
    return machine


def test_a_set_up_is_done_once(checkout: Path, machine: Machine, tmp_path: Path) -> None:
    assert setup_env.set_up(checkout, tmp_path / "cache")
    assert machine.steps == ["venv", "sync", "project"]
    assert not setup_env.set_up(checkout, tmp_path / "cache")
    assert machine.steps == ["venv", "sync", "project"]


@pytest.mark.parametrize("name", ["requirements/dev.txt", "setup.py", "pyproject.toml", "tools/wheels.py"])
def test_a_changed_input_updates_what_is_there(checkout: Path, machine: Machine, tmp_path: Path, name: str) -> None:
    setup_env.set_up(checkout, tmp_path / "cache")
    (checkout / name).write_text("# changed\n")
    assert setup_env.set_up(checkout, tmp_path / "cache")
    assert machine.steps[3:] == ["sync", "project"]


def test_the_environment_of_airflow_is_one_of_its_own(checkout: Path, machine: Machine, tmp_path: Path) -> None:
    (checkout / "requirements/airflow.txt").write_text("# airflow\n")
    assert setup_env.set_up(checkout, tmp_path / "cache", setup_env.AIRFLOW)
    assert machine.steps == ["venv", "sync"]  # the project is not installed there
    (checkout / "setup.py").write_text("# changed\n")
    assert not setup_env.set_up(checkout, tmp_path / "cache", setup_env.AIRFLOW)
    (checkout / "requirements/airflow.txt").write_text("# changed\n")
    assert setup_env.set_up(checkout, tmp_path / "cache", setup_env.AIRFLOW)
    assert machine.steps == ["venv", "sync", "sync"]
    assert sorted(path.name for path in checkout.glob(".venv*")) == [".venv-airflow"]


def test_an_image_holds_the_libraries_and_neither_the_project_nor_the_tests(
    checkout: Path, machine: Machine, tmp_path: Path
) -> None:
    (checkout / "requirements/gpu.txt").write_text("# gpu\n")
    assert setup_env.set_up(checkout, tmp_path / "cache", setup_env.IMAGE)
    assert machine.steps == ["venv", "sync"]
    (checkout / "setup.py").write_text("# changed\n")
    (checkout / "requirements/dev.txt").write_text("# changed\n")
    assert not setup_env.set_up(checkout, tmp_path / "cache", setup_env.IMAGE)
    assert setup_env.set_up(checkout, tmp_path / "cache", setup_env.IMAGE_GPU)  # on top of it
    assert machine.steps == ["venv", "sync", "sync"]


@pytest.mark.parametrize("arguments", [["nonsense"], ["airflow", "pipeline"]])
def test_a_wrong_name_is_told_what_there_is(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert setup_env.main(arguments) == 2
    said = capsys.readouterr().err
    assert "usage: python3 -m tools.setup_env [pipeline | airflow | image | image-gpu | image-serving]" in said


def test_a_new_time_of_an_input_changes_nothing(checkout: Path, machine: Machine, tmp_path: Path) -> None:
    setup_env.set_up(checkout, tmp_path / "cache")
    (checkout / "setup.py").touch()
    assert not setup_env.set_up(checkout, tmp_path / "cache")
    assert len(machine.steps) == 3


@pytest.mark.parametrize("step", ["venv", "sync", "project"])
def test_what_was_cut_off_is_begun_anew(checkout: Path, machine: Machine, tmp_path: Path, step: str) -> None:
    machine.fails_at = step
    with pytest.raises(InstallError, match=step):
        setup_env.set_up(checkout, tmp_path / "cache")
    (checkout / ".venv" / "half").touch()
    machine.fails_at = ""
    assert setup_env.set_up(checkout, tmp_path / "cache")
    assert machine.steps[-3:] == ["venv", "sync", "project"]
    assert not (checkout / ".venv" / "half").exists()


def test_an_update_that_was_cut_off_is_begun_anew(checkout: Path, machine: Machine, tmp_path: Path) -> None:
    setup_env.set_up(checkout, tmp_path / "cache")
    (checkout / "setup.py").write_text("# changed\n")
    machine.fails_at = "sync"
    with pytest.raises(InstallError):
        setup_env.set_up(checkout, tmp_path / "cache")
    machine.fails_at = ""
    (checkout / "setup.py").write_text("# setup.py\n")  # as it was for the finished one
    assert setup_env.set_up(checkout, tmp_path / "cache")
    assert machine.steps[-3:] == ["venv", "sync", "project"]


def test_a_checkout_that_was_moved_is_set_up_anew(checkout: Path, machine: Machine, tmp_path: Path) -> None:
    setup_env.set_up(checkout, tmp_path / "cache")
    moved = checkout.rename(tmp_path / "moved")
    assert setup_env.set_up(moved, tmp_path / "cache")
    assert machine.steps[3:] == ["venv", "sync", "project"]


def test_an_environment_without_its_interpreter_is_made_anew(
    checkout: Path, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup_env.set_up(checkout, tmp_path / "cache")
    (checkout / ".venv/bin/python").unlink()
    monkeypatch.setattr(host, "probe", lambda _path: None)
    assert setup_env.set_up(checkout, tmp_path / "cache")
    assert machine.steps[3:] == ["venv", "sync", "project"]


def test_a_broken_stamp_counts_as_none(checkout: Path, machine: Machine, tmp_path: Path) -> None:
    setup_env.set_up(checkout, tmp_path / "cache")
    (checkout / ".venv/set-up.json").write_text('{"root": ')
    assert setup_env.set_up(checkout, tmp_path / "cache")
    assert json.loads((checkout / ".venv/set-up.json").read_text())["root"] == str(checkout)
    assert len(machine.steps) == 6


def test_two_at_once_wait_for_each_other(checkout: Path, machine: Machine, tmp_path: Path) -> None:
    machine.seconds = 0.1
    context = multiprocessing.get_context("fork")  # the stand-ins go with it
    both = [context.Process(target=setup_env.set_up, args=(checkout, tmp_path / "cache")) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert machine.steps == ["venv", "sync", "project"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (HostError("Python 3.12 was not found"), 2),
        (InstallError("exit code 1 from: uv"), 1),
        (wheels.WheelError("unknown symbol"), 1),
        (OSError("No space left on device"), 1),
    ],
)
def test_the_exit_code_tells_whose_turn_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    def fail(_root: Path, _cache: Path, _environment: setup_env.Environment) -> bool:
        raise error

    monkeypatch.setattr(setup_env, "set_up", fail)
    assert setup_env.main([]) == code
    assert f"set-up: {error}\n" in capsys.readouterr().err


def test_the_cache_lies_where_it_is_told_to(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VISUAL_SEARCH_CACHE", str(tmp_path / "mine"))
    assert setup_env.cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("VISUAL_SEARCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert setup_env.cache_folder() == tmp_path / "xdg" / "visual-search"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert setup_env.cache_folder() == Path.home() / ".cache" / "visual-search"


def test_every_input_of_this_checkout_counts(tmp_path: Path) -> None:
    names = ["requirements", "tools", "setup.py", "pyproject.toml"]
    for name in names:
        source = setup_env.ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    before = setup_env.inputs_digest(tmp_path)
    assert before == setup_env.inputs_digest(setup_env.ROOT)
    for name in ("requirements/pipeline.txt", "requirements/repaired.txt", "tools/elf.py", "setup.py"):
        original = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(original + b"\n")
        assert setup_env.inputs_digest(tmp_path) != before, name
        (tmp_path / name).write_bytes(original)
