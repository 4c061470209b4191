"""The emulator is built once, whole or not at all, and says what it lacks."""

from pathlib import Path

import pytest

from tools.gcs_emulator import VERSION, build
from tools.host import HostError
from tools.installer import InstallError


def go_that(body: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = folder / "bin" / "go"
    go.parent.mkdir()
    go.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(go.parent), prepend=":")


def test_it_is_built_once_outside_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_that('echo "$@" >> "$0.log"; echo program > "$GOBIN/fake-gcs-server"', tmp_path, monkeypatch)
    program = build(tmp_path / "cache")
    assert program == tmp_path / "cache" / f"fake-gcs-server-{VERSION}"
    assert program.read_text() == "program\n"
    assert build(tmp_path / "cache") == program
    assert (tmp_path / "bin" / "go.log").read_text() == f"install github.com/fsouza/fake-gcs-server@{VERSION}\n"
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [program.name]


def test_a_build_that_fails_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_that("echo no network >&2; exit 1", tmp_path, monkeypatch)
    with pytest.raises(InstallError, match=r"install github\.com/fsouza/fake-gcs-server@.* failed: no network"):
        build(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_go_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="there is no `go` on PATH: install Go"):
        build(tmp_path / "cache")
