import os
import sys
from pathlib import Path

import pytest

from tests.tools.scripts import write_script
from tools import installer
from tools.installer import Installer, InstallError, pip_settings

PYTHON = Path(sys.executable)


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A uv on PATH that writes down how it was called; returns where."""
    log = tmp_path / "log"
    write_script(tmp_path / "bin/uv", f'[ "$1" = --version ] || echo "$PWD $UV_CACHE_DIR $CXX $*" >> {log}')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    return log


def find(tmp_path: Path) -> Installer:
    return Installer.find(PYTHON, tmp_path / "cache", {"CXX": "my-c++"})


def test_the_locks_are_installed_with_the_repaired_wheels_first(uv: Path, tmp_path: Path) -> None:
    find(tmp_path).sync([Path("a.txt"), Path("b.txt")], Path("/house"))
    options = f"--quiet --no-config --python {PYTHON}"
    expected = f"{Path.cwd()} {tmp_path}/cache/uv my-c++ pip sync {options} --find-links /house a.txt b.txt\n"
    assert uv.read_text() == expected


def test_without_repaired_wheels_there_are_no_links(uv: Path, tmp_path: Path) -> None:
    find(tmp_path).sync([Path("a.txt")], None)
    assert "--find-links" not in uv.read_text()


def test_the_project_comes_without_dependencies(uv: Path, tmp_path: Path) -> None:
    find(tmp_path).install_editable(Path("/project"))
    assert uv.read_text().endswith("--no-deps --no-build-isolation --editable /project\n")


def test_a_lock_is_written_in_its_own_folder(uv: Path, tmp_path: Path) -> None:
    find(tmp_path).compile(tmp_path, "dev", ["--upgrade"])
    assert uv.read_text().startswith(f"{tmp_path} ")
    assert uv.read_text().endswith("--upgrade dev.in --output-file dev.txt\n")


def test_a_uv_that_does_not_run_gives_way_to_one_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_script(tmp_path / "bin/uv", "exit 127")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    calls = []

    def pip_install(command: list[str]) -> None:
        calls.append(command)
        write_script(Path(command[command.index("--target") + 1]) / "bin/uv", "exit 0")

    monkeypatch.setattr(installer, "run", pip_install)
    (tmp_path / "cache").mkdir()
    expected = str(tmp_path / "cache" / f"uv-{installer.UV_VERSION}" / "bin/uv")
    assert [find(tmp_path).uv, find(tmp_path).uv] == [expected, expected]
    assert [command[-1] for command in calls] == [f"uv=={installer.UV_VERSION}"]
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [f"uv-{installer.UV_VERSION}"]


def test_what_pip_is_told_is_told_to_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nindex-url = https://user@index.example/simple\ncert = /my.pem\ntimeout = 9\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    found = pip_settings(PYTHON)
    assert found["UV_DEFAULT_INDEX"] == "https://user@index.example/simple"
    assert found["SSL_CERT_FILE"] == "/my.pem"
    assert set(found) <= {"UV_DEFAULT_INDEX", "SSL_CERT_FILE", "UV_INDEX"}


def test_a_variable_of_uv_is_stronger_than_pips_file(uv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", "/shared")
    find(tmp_path).sync([], None)
    assert " /shared my-c++ " in uv.read_text()


def test_a_command_that_fails_is_named() -> None:
    with pytest.raises(InstallError, match=r"exit code 3 from: sh -c exit 3"):
        installer.run(["sh", "-c", "exit 3"])
