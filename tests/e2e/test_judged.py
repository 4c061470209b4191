"""A release that waits for people: a task is made of it, a sheet goes out and comes back, and it goes live."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.runs.commands import completed
from tests.e2e.conftest import Shop

WAITING = 4
JUDGED = 'judged = "always"\npreference_lower = -0.5\n'
JUDGE = "\n[judge]\nraters = 2\nmargin = 0.3\ngold = 4\n"


def judge(shop: Shop, command: str, *arguments: str) -> Result:
    done = CliRunner().invoke(main, ["judge", command, "--config", str(shop.config), *arguments])
    assert done.exit_code == 0, done.output
    return done


def filled_in(sheet: Path) -> None:
    """Grade by the heading of what is shown: what two people who look at names alone would say."""
    rows = list(csv.DictReader(sheet.read_text(encoding="utf-8-sig").splitlines()))
    for row in rows:
        row["grade"] = "similar"
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.usefixtures("trained_here")
def test_people_decide_between_two_runs(shop: Shop, tmp_path: Path) -> None:
    before = shop.live()["release_id"]
    text = shop.config.read_text(encoding="utf-8")
    assert "[promote]" not in text
    shop.config.write_text(f"{text}\n[promote]\n{JUDGED}{JUDGE}", encoding="utf-8")

    waits = shop.cli("run", "--run-id", "second", "--policy", "always", "--accept", "people see to it", code=WAITING)
    assert shop.live()["release_id"] == before
    second = shop.manifest("second", "evaluate")["outputs"]["release_id"]
    assert completed(f"`visual-search judge new --releases {before} {second}`", str(shop.config)) in waits.stderr

    made = json.loads(judge(shop, "new", "--queries", "60").stdout)
    assert (made["first"], made["second"], made["waits"]) == (before, second, "second")
    for rater in ("ann", "bob"):
        sheet = tmp_path / f"{rater}.csv"
        judge(shop, "export", made["task"], str(sheet), "--rater", rater)
        filled_in(sheet)
        judge(shop, "import", made["task"], str(sheet))
    told = json.loads(judge(shop, "report", "--json").stdout)
    assert (told["decision"], told["task"]) == ("alike", made["task"])

    shop.cli("run", "--run-id", "second", "--from", "promote")
    assert shop.live()["release_id"] == second
    assert "judge.preference_lower" in shop.cli("status").stdout
