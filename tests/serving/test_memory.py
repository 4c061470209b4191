"""What a release will take, and what is left."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.releases.release import read_release
from serving.release import memory
from tests.serving.shop import ServedShop

GIB = 1 << 30


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 8 GiB left, without containers, whose process holds 1 GiB."""
    (tmp_path / "self").mkdir()
    (tmp_path / "meminfo").write_text(f"MemTotal: 99 kB\nMemAvailable:  {8 << 20} kB\n")
    (tmp_path / "self/status").write_text(f"Name:\tx\nVmRSS:\t{3 << 20} kB\nRssAnon:\t{1 << 20} kB\n")
    monkeypatch.setattr(memory, "PROC", tmp_path)
    monkeypatch.setattr(memory, "CGROUP", tmp_path / "cgroup")
    return tmp_path


def limit(machine: Path, most: str, used: int = 0, inactive: int = 0) -> None:
    (machine / "cgroup").mkdir()
    (machine / "cgroup/memory.max").write_text(f"{most}\n")
    (machine / "cgroup/memory.current").write_text(f"{used}\n")
    (machine / "cgroup/memory.stat").write_text(f"anon 1\nfile 2\ninactive_file {inactive}\n")


def test_without_a_container_the_machine_is_the_limit(machine: Path) -> None:
    assert memory.available_bytes(None) == 8 * GIB


def test_a_container_may_be_smaller_than_its_machine(machine: Path) -> None:
    """Of 4 GiB, 3 are used, of which 2 are pages of files that may be dropped."""
    limit(machine, str(4 * GIB), used=3 * GIB, inactive=2 * GIB)
    assert memory.available_bytes(None) == 3 * GIB


def test_a_container_without_a_limit_is_none(machine: Path) -> None:
    limit(machine, "max", used=100 * GIB)
    assert memory.available_bytes(None) == 8 * GIB


def test_a_budget_is_what_the_process_may_hold_for_itself(machine: Path) -> None:
    assert memory.available_bytes(5 * GIB) == 4 * GIB
    assert memory.available_bytes(GIB // 2) == 0


def test_what_processes_of_models_hold_counts_too(machine: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (machine / str(other.pid)).mkdir()
        rollup = f"0-1 ---p 0 00:00 0 [rollup]\nRss: {9 << 20} kB\nPss_Anon: {2 << 20} kB\nPss_File: {3 << 20} kB\n"
        (machine / str(other.pid) / "smaps_rollup").write_text(rollup)
        assert memory.available_bytes(5 * GIB) == 2 * GIB
        other.communicate()
    assert memory.available_bytes(5 * GIB) == 4 * GIB


def test_a_kernel_that_does_not_tell_forbids_nothing(machine: Path) -> None:
    (machine / "meminfo").unlink()
    assert memory.available_bytes(None) > 1 << 60


def test_a_release_needs_what_its_plan_searches_its_model_and_its_rows(shop: ServedShop) -> None:
    """12 codes of 4 bytes, each with a row of 8; 12 photos of items of 512 bytes; three times the model's files."""
    release = read_release(shop.store, "first")
    model = sum(entry.size_bytes for entry in shop.store.list("models/m1"))
    expected = 12 * (4 + 8) + 12 * 512 + 3 * model + memory.MODEL_BYTES
    assert memory.needed_bytes(shop.store, release, ["binary"]) == expected
    assert memory.needed_bytes(shop.store, release, ["exact"]) == expected - 12 * (4 + 8)
    assert memory.needed_bytes(shop.store, release, ["binary"], with_model=False) == 12 * (4 + 8) + 12 * 512
