"""A release that waits for people: a second run, a task, sheets that two raters fill in, a verdict, the promotion."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from pipelines.cli import main
from tests.e2e.conftest import Shop

QUERIES = 24
WAITS = f"""
[promote]
judged = "always"
preference_lower = 0.9
[judge]
queries = {QUERIES}
raters = 2
gold = 4
"""


def judge(shop: Shop, action: str, *arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(main, ["judge", action, "--config", str(shop.config), *arguments])
    assert done.exit_code == 0, done.output
    value: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return value


def filled_in(sheet: Path) -> int:
    """Grade a sheet by titles, whose last words name the category; return how many questions it has."""
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = [*csv.DictReader(file)]
    for row in rows:
        query, result = row["query_title"], row["result_title"]
        row["grade"] = "same" if query == result else "similar" if query.split()[-1:] == result.split()[-1:] else "not"
    with sheet.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


def test_a_run_waits_for_people_and_goes_live_by_their_verdict(shop: Shop, tmp_path: Path) -> None:
    before = shop.live()["release_id"]
    with shop.config.open("a", encoding="utf-8") as file:
        file.write(WAITS)
    shop.rewrite(lambda lines: [line for n, line in enumerate(lines) if n % 6])
    done = shop.run("second", code=4)
    assert "promote" not in done
    assert shop.live()["release_id"] == before

    task = judge(shop, "new")
    assert (task["waits"], task["queries"]) == ("second", QUERIES)
    assert judge(shop, "new", "--once")["task"] == task["task"]
    assert shop.run("second", "--from", "promote", code=4) == {}
    for rater in ("ann", "ben"):
        sheet = tmp_path / f"{rater}.csv"
        judge(shop, "export", task["task"], str(sheet), "--rater", rater)
        assert filled_in(sheet) > QUERIES
        judge(shop, "import", task["task"], str(sheet))
    report = judge(shop, "report", "--task", task["task"], "--json")
    preference = report["preference"]
    assert (report["queries"], report["decision"]) == (QUERIES, "open")
    assert -0.9 < preference["lower"] <= preference["mean"] <= preference["upper"] < 0.9

    assert shop.run("second", "--from", "promote", code=3) == {}
    assert shop.live()["release_id"] == before
    shop.configure(r"^preference_lower = 0\.9$", "preference_lower = -0.9")
    assert tuple(shop.run("second", "--from", "promote")) == ("promote",)
    assert shop.live()["run_id"] == "second"
    entry = json.loads(max((shop.store / "live").glob("*.json"), key=lambda path: path.name).read_text())
    [gate] = [gate for gate in entry["gates"] if gate["metric"] == "judge.preference_lower"]
    assert (gate["value"], gate["bound"]) == (preference["lower"], -0.9)
