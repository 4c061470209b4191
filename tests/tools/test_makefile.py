"""The one door: what `make` prints and refuses, without doing the work."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.tools.scripts import write_script
from tools.setup_env import ROOT


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
    )


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_bare_make_prints_every_target() -> None:
    printed = set(re.findall(r"^  make ([a-z-]+) ", make().stdout, re.MULTILINE))
    assert printed == targets()
    assert printed >= {"setup", "demo", "test", "check", "lint", "format", "fashion", "grocery", "bench", "clean"}


@pytest.mark.parametrize("target", sorted(targets() - {"help", "clean", "setup", "flink-stop"}))
def test_every_target_sees_to_the_environment_first(target: str) -> None:
    lines = make("--dry-run", target).stdout.splitlines()
    assert lines[0] == "bash tools/with_python.sh -m tools.setup_env"
    assert len(lines) > 1


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A folder with the Makefile alone, so that no test touches this checkout's work/."""
    shutil.copy(ROOT / "Makefile", tmp_path / "Makefile")
    return tmp_path


@pytest.mark.parametrize(("target", "name"), [("fashion", "fashion60"), ("grocery", "grocery")])
def test_real_photos_that_are_not_there_are_named(target: str, name: str, elsewhere: Path) -> None:
    nowhere = make(f"photos-{name}", folder=elsewhere)
    assert nowhere.returncode == 2
    assert f"work/photos/{name}/index.csv is not there: say DATA=FOLDER" in nowhere.stderr
    missing = make(f"photos-{name}", "DATA=empty", folder=elsewhere)
    assert missing.returncode == 2
    assert f"empty/{name}/index.csv is not there" in missing.stderr
    assert f"photos-{name}" in (ROOT / "Makefile").read_text().split(f"\n{target}: ")[1].split("##")[0]


def test_real_photos_are_linked_and_linked_anew(elsewhere: Path) -> None:
    for folder in ("one", "two"):
        (elsewhere / folder / "grocery").mkdir(parents=True)
        (elsewhere / folder / "grocery" / "index.csv").write_text(folder)
        assert make("photos-grocery", f"DATA={folder}", folder=elsewhere).returncode == 0
        assert (elsewhere / "work/photos/grocery/index.csv").read_text() == folder
    assert make("photos-grocery", folder=elsewhere).returncode == 0  # the link of last time
    assert (elsewhere / "work/photos/grocery/index.csv").read_text() == "two"
    assert [path.name for path in (elsewhere / "two").iterdir()] == ["grocery"]


def test_photos_unpacked_in_their_place_stay_there(elsewhere: Path) -> None:
    (elsewhere / "work/photos/grocery").mkdir(parents=True)
    (elsewhere / "work/photos/grocery/index.csv").touch()
    assert make("photos-grocery", "DATA=other", folder=elsewhere).returncode == 0
    assert [path.name for path in (elsewhere / "work/photos").iterdir()] == ["grocery"]


def with_python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["/bin/bash", str(ROOT / "tools/with_python.sh"), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def test_the_first_python_that_runs_is_used(tmp_path: Path) -> None:
    write_script(tmp_path / "bin/python3", "echo 'pyenv: python3: command not found' >&2; exit 127")
    write_script(tmp_path / "bin/python3.12", '[ "$1" = -c ] || echo "3.12 runs $*"')
    done = with_python("-m", "tools.setup_env", PATH=str(tmp_path / "bin"), HOME=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "3.12 runs -m tools.setup_env\n", "")


def test_the_exit_code_is_that_of_the_program(tmp_path: Path) -> None:
    write_script(tmp_path / "bin/python3", '[ "$1" = -c ] || exit 7')
    assert with_python("-m", "x", PATH=str(tmp_path / "bin"), HOME=str(tmp_path)).returncode == 7


def test_without_a_python_the_error_says_how_to_get_one(tmp_path: Path) -> None:
    write_script(tmp_path / "bin/cat", "exec /bin/cat")
    done = with_python("-m", "x", PATH=str(tmp_path / "bin"), HOME=str(tmp_path))
    assert done.returncode == 2
    assert "Python 3.12 is needed" in done.stderr
    assert "apt-get install python3.12 python3.12-venv python3.12-dev" in done.stderr
