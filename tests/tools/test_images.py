"""`make images`: names, and what is said where Docker cannot build."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.scripts import write_script
from tools import images
from tools.setup_env import ROOT


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH that holds nothing but what the test puts there."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("REGISTRY", raising=False)
    return tmp_path


def test_each_image_is_built_and_named_by_the_version(
    only: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_script(only / "docker", 'echo "$@" >> "${0%/*}/log"')
    monkeypatch.setenv("REGISTRY", "registry.example/shop/")
    assert images.main(["launcher", "flink"]) == 0
    number = images.version(ROOT)
    names = [f"registry.example/shop/visual-search/{target}:{number}" for target in ("launcher", "flink")]
    assert capsys.readouterr().out.split() == names
    asked = [line for line in (only / "log").read_text().splitlines() if line != "info"]
    assert asked[0] == (
        f"build --file {ROOT}/infra/images/Dockerfile --target launcher --tag {names[0]}"
        f" --build-arg VERSION={number} {ROOT}"
    )
    assert len(asked) == 2


def test_all_images_are_built_if_none_is_named(only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_script(only / "docker", "exit 0")
    assert images.main([]) == 0
    assert [name.split("/")[1].split(":")[0] for name in capsys.readouterr().out.split()] == list(images.TARGETS)


def test_without_docker_the_error_says_so(only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert images.main(["launcher"]) == 2
    assert "images: images are built with Docker, and there is no `docker` on PATH" in capsys.readouterr().err


def test_a_daemon_that_does_not_run_is_told_in_its_own_words(only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_script(only / "docker", "echo Client: here; echo 'Cannot connect to the Docker daemon.' >&2; exit 1")
    assert images.main(["launcher"]) == 2
    said = capsys.readouterr().err
    assert f"{only}/docker cannot build here: Cannot connect to the Docker daemon. Start the daemon" in said


def test_a_build_that_fails_ends_it(only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_script(only / "docker", '[ "$1" = info ]')
    assert images.main(["launcher", "worker"]) == 1
    said = capsys.readouterr()
    assert (said.out, "exit code 1 from:" in said.err) == ("", True)


def test_an_unknown_image_is_named_before_anything_is_built(only: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert images.main(["launcher", "luncher"]) == 2
    there = "launcher, serving, worker, launcher-gpu, worker-gpu, flink"
    assert f"no image luncher: there are {there}" in capsys.readouterr().err
