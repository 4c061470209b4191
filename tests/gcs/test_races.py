"""Two processes race to promote: every entry of the live log has exactly one writer."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from pipelines.store import Log, open_store
from tests.gcs.emulator import Emulator

RACES, LOST = 1000, 30
RACER = """
import sys, time
from pipelines.store import Log, open_store
uri, me, start, races = sys.argv[1:]
log = Log(open_store(uri), "live")
time.sleep(max(0.0, float(start) - time.time()))
won = []
for number in range(1, int(races) + 1):
    if log.append(number, {"writer": me}):
        won.append(number)
print(won)
"""


@pytest.mark.gcs
@pytest.mark.slow
def test_a_thousand_races_have_one_winner_each(gcs: Emulator) -> None:
    gcs.heal()
    uri = gcs.new_store_uri()
    for nth in range(LOST):
        gcs.fault("^POST /upload/", "lost", skip=50 * nth)
    start = str(time.time() + 5)
    command = [sys.executable, "-c", RACER, uri]
    racers = {
        me: subprocess.Popen([*command, me, start, str(RACES)], stdout=subprocess.PIPE, text=True) for me in ("a", "b")
    }
    won = {me: set(json.loads(racer.communicate(timeout=600)[0])) for me, racer in racers.items()}
    assert won["a"] & won["b"] == set()
    assert won["a"] | won["b"] == set(range(1, RACES + 1))
    for number, entry in Log(open_store(uri), "live").entries():
        assert number in won[entry["writer"]]
    assert gcs.met() == ["lost"] * LOST
