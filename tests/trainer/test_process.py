"""What a process that computes is started with, by what the kernel counts: pages given back and taken again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.train.launch import _environment
from tests.infra.dockerfile import Dockerfile
from trainer.process import ENVIRONMENT, KERNELS, untouched

ROOT = Path(__file__).parents[2]
PAGES = (16 << 20) // os.sysconf("SC_PAGE_SIZE")
ROUNDS = 20
# Sixteen megabytes, taken and given back as the activations of a step are.
WORK = f"""
import resource
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({ROUNDS}):
    b"x" * (16 << 20), b"x" * (16 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
COMMAND_LINE = """
from click.testing import CliRunner
from pipelines.cli import main
CliRunner().invoke(main, ["status", "--config", "not there"])
"""
BENCHMARK = "import benchmarks\n"
SET_UP = "from trainer import process\nprocess.set_up()\n"


def run(code: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", code]
    given = {**environment, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=given, capture_output=True, text=True, check=True).stdout.split()[-1]


def test_without_it_memory_is_given_back_and_taken_again() -> None:
    assert int(run(WORK, {**untouched(), "MALLOC_MMAP_THRESHOLD_": "131072"})) > ROUNDS * PAGES


@pytest.mark.parametrize("start", [COMMAND_LINE, BENCHMARK, SET_UP], ids=["command line", "benchmark", "set up"])
def test_a_process_that_computes_keeps_its_memory(start: str) -> None:
    assert int(run(start + WORK, untouched())) < 4 * PAGES


def test_so_do_the_processes_that_it_starts() -> None:
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {WORK!r}], check=True)"
    assert int(run(SET_UP + child, untouched())) < 4 * PAGES


def test_the_process_of_a_training_keeps_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    assert int(run(WORK, _environment())) < 4 * PAGES


def test_what_somebody_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {
        **untouched(),
        "MALLOC_MMAP_MAX_": "65536",
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    }
    assert int(run(SET_UP + WORK, chosen)) > ROUNDS * PAGES
    assert run(f"{SET_UP}import os\nprint(os.environ['TF_ENABLE_ONEDNN_OPTS'])", chosen) == "0"


def test_who_is_asked_about_one_photo_leaves_the_kernels_to_tensorflow() -> None:
    set_up = "from trainer import process\nprocess.set_up(one_by_one=True)\n"
    assert int(run(set_up + WORK, untouched())) < 4 * PAGES
    assert run(f"{set_up}import os\nprint(os.environ.get(process.KERNELS))", untouched()) == "None"
    assert run(f"{set_up}import os\nprint(os.environ.get(process.KERNELS))", {**untouched(), KERNELS: "1"}) == "1"


def test_memory_is_given_back_between_pieces_of_work() -> None:
    resident = "int(open('/proc/self/statm').read().split()[1])"
    code = f"{SET_UP}b'x' * (64 << 20)\nkept = {resident}\nprocess.give_back()\nprint(kept - {resident})"
    assert int(run(code, untouched())) > 3 * PAGES


def test_images_start_their_programs_so() -> None:
    stated = [
        rest for stage in Dockerfile.read().lineage("worker") for name, rest in stage.instructions if name == "ENV"
    ]
    words = dict(word.partition("=")[::2] for rest in stated for word in rest.split())
    assert ENVIRONMENT.items() <= words.items()


def test_flink_starts_its_workers_so() -> None:
    boot = (ROOT / "infra/flink/boot").read_text(encoding="utf-8")
    assert dict(re.findall(r'(\w+)="\$\{\1-([^}]*)\}"', boot)) == ENVIRONMENT
