import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.tools.scripts import write_script
from tools import host
from tools.host import HostError, Interpreter


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with no interpreter but a Python 3.9 that runs the set-up; returns its only folder on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.delenv("VISUAL_SEARCH_PYTHON", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(sys, "executable", str(write_python(tmp_path / "old", "3.9", tmp_path)))
    return folder


def write_python(folder: Path, version: str, headers: Path, *, has_pip: bool = True) -> Path:
    """Write an interpreter that says of itself what it is told to."""
    path = folder / "python3.12"
    facts = (
        f'{{"version": [{version.replace(".", ", ")}, 1], "executable": "{path}", '
        f'"headers": "{headers}", "seeds": {str(has_pip).lower()}}}'
    )
    return write_script(path, f"echo '{facts}'")


def headers_in(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "Python.h").touch()
    return folder


def test_this_interpreter_is_known_by_its_base() -> None:
    found = host.probe(sys.executable)
    assert found is not None
    assert found.version == sys.version_info[:3]
    assert found.executable.resolve() == Path(sys.executable).resolve()
    assert not str(found.executable).startswith(sys.prefix)  # .venv may be removed while it runs


@pytest.mark.parametrize("body", ["echo 'pyenv: python3.12: command not found' >&2; exit 127", "echo Python 3.12"])
def test_a_shim_that_does_not_run_is_no_interpreter(tmp_path: Path, body: str) -> None:
    assert host.probe(str(write_script(tmp_path / "python3.12", body))) is None


def test_a_file_that_is_not_there_is_no_interpreter(tmp_path: Path) -> None:
    assert host.probe(str(tmp_path / "none")) is None


def test_pyenv_is_looked_into_past_its_broken_shim(bare: Path, tmp_path: Path) -> None:
    write_script(bare / "python3.12", "exit 127")
    there = write_python(tmp_path / "pyenv/versions/3.12.1/bin", "3.12", headers_in(tmp_path / "include"))
    assert host.find_interpreter().executable == there


def test_every_folder_on_path_is_tried(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_script(bare / "python3.12", "exit 127")
    there = write_python(tmp_path / "usr", "3.12", headers_in(tmp_path / "include"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(bare), str(there.parent)]))
    assert host.find_interpreter().executable == there


def test_uv_is_asked_last(bare: Path, tmp_path: Path) -> None:
    there = write_python(tmp_path / "uv", "3.12", headers_in(tmp_path / "include"))
    write_script(bare / "uv", f'[ "$1 $2" = "python find" ] && echo {there}')
    assert host.find_interpreter().executable == there


def test_a_chosen_interpreter_comes_first(bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    include = headers_in(tmp_path / "include")
    write_python(bare, "3.12", include)
    chosen = write_python(tmp_path / "chosen", "3.12", include)
    monkeypatch.setenv("VISUAL_SEARCH_PYTHON", str(chosen))
    assert host.find_interpreter().executable == chosen


@pytest.mark.usefixtures("bare")
def test_a_chosen_interpreter_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL_SEARCH_PYTHON", sys.executable)
    with pytest.raises(HostError, match=r"VISUAL_SEARCH_PYTHON=.*python3\.12 is no Python 3\.12 that runs"):
        host.find_interpreter()


@pytest.mark.usefixtures("bare")
def test_without_an_interpreter_the_error_says_how_to_get_one() -> None:
    with pytest.raises(
        HostError, match=r"Python 3\.12 was not found(.|\n)*apt-get install python3\.12 (.|\n)*pyenv install"
    ):
        host.find_interpreter()


def test_an_interpreter_that_does_not_run_is_named(bare: Path) -> None:
    write_script(bare / "python3.12", "exit 127")
    with pytest.raises(
        HostError, match=rf"was not found \({bare}/python3\.12 is there, but does not run\)\. To get it:"
    ):
        host.find_interpreter()


def test_without_headers_the_error_says_which(bare: Path, tmp_path: Path) -> None:
    write_python(bare, "3.12", tmp_path / "none")
    with pytest.raises(HostError, match=r"lacks its C headers \(.*none/Python\.h\): apt-get install python3\.12-dev"):
        host.find_interpreter()


def test_without_pip_the_error_says_so(bare: Path, tmp_path: Path) -> None:
    write_python(bare, "3.12", headers_in(tmp_path / "include"), has_pip=False)
    with pytest.raises(HostError, match=r"lacks the module ensurepip: apt-get install python3\.12-venv"):
        host.find_interpreter()


def test_an_incomplete_interpreter_gives_way_to_a_complete_one(bare: Path, tmp_path: Path) -> None:
    write_python(bare, "3.12", tmp_path / "none")
    whole = write_python(tmp_path / "pyenv/versions/3.12.7/bin", "3.12", headers_in(tmp_path / "include"))
    assert host.find_interpreter().executable == whole


@pytest.mark.usefixtures("bare")
def test_without_a_compiler_the_error_says_how_to_get_one() -> None:
    with pytest.raises(HostError, match=r"looked for g\+\+, clang\+\+, c\+\+(.|\n)*apt-get install g\+\+"):
        host.find_compiler()


def test_a_compiler_named_by_the_environment_is_used(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_script(bare / "my-c++", "exit 0")
    monkeypatch.setenv("CXX", "my-c++")
    assert host.find_compiler() == str(path)


def test_the_c_compiler_is_the_sibling_of_the_cxx_compiler(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    sibling, path = write_script(bare / "clang", "exit 0"), write_script(bare / "clang++", "exit 0")
    write_script(bare / "gcc", "exit 0")
    assert host.compiler_environment(str(path)) == {"CXX": str(path), "CC": str(sibling)}


def test_a_compiler_without_its_library_is_refused(bare: Path, tmp_path: Path) -> None:
    path = write_script(bare / "g++", "echo 'string: No such file' >&2; exit 1")
    interpreter = Interpreter(tmp_path / "python", (3, 12, 1), tmp_path, has_pip=True)
    with pytest.raises(HostError, match=r"g\+\+ cannot compile a line of C\+\+:\nstring: No such file"):
        host.check_compiler(str(path), interpreter)


def test_the_compiler_of_this_machine_works() -> None:
    host.check_compiler(host.find_compiler(), host.find_interpreter())


@pytest.mark.parametrize(
    ("system", "machine", "library", "message"),
    [
        ("Darwin", "arm64", "glibc 2.39", "Darwin on arm64 has no TFX wheels"),
        ("Linux", "aarch64", "glibc 2.39", "Linux on aarch64 has no TFX wheels"),
        ("Linux", "x86_64", "glibc 2.31", r"glibc 2\.31 is too old: use a system with glibc 2\.34 or later"),
        ("Linux", "x86_64", None, "no glibc is too old"),
    ],
)
def test_a_platform_without_wheels_is_refused(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, library: str | None, message: str
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("os.confstr", lambda _name: library)
    with pytest.raises(HostError, match=message):
        host.check_platform()


@pytest.mark.parametrize(("library", "expected"), [("glibc 2.34", (2, 34)), ("glibc 2.41", (2, 41))])
def test_the_version_of_glibc_is_read(monkeypatch: pytest.MonkeyPatch, library: str, expected: tuple[int, int]) -> None:
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("os.confstr", lambda _name: library)
    assert host.check_platform() == expected


def test_too_little_room_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=1_500_000_000))
    host.check_space(tmp_path, 1_500_000_000)
    with pytest.raises(HostError, match=r"has 1\.5 GB free and 4\.0 GB are needed"):
        host.check_space(tmp_path, 4_000_000_000)
