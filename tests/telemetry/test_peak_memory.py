import resource
import subprocess
import sys

from pipelines.telemetry.peak_memory import PeakMemory
from trainer.process import give_back

MIB = 1 << 20


def test_what_was_held_and_given_back_counts_from_the_start_on() -> None:
    before = bytearray(200 * MIB)
    before[::4096] = b"x" * len(before[::4096])
    del before
    give_back()  # as between two stages
    peak = PeakMemory()
    start = peak.peak_bytes()
    held = bytearray(100 * MIB)
    held[::4096] = b"x" * len(held[::4096])
    del held
    grown = peak.peak_bytes() - start
    assert 90 * MIB < grown < 150 * MIB


def test_a_child_counts_when_it_is_the_largest_so_far() -> None:
    peak = PeakMemory()
    largest = max(peak.peak_bytes(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
    subprocess.run([sys.executable, "-c", f"x = b'1' * ({largest} + {100 * MIB})"], check=True)
    assert peak.peak_bytes() > largest + 100 * MIB
