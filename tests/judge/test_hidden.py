"""Items that were hidden after a task was made: nobody is asked about them, and their questions hold up nothing."""

import csv
import json
from pathlib import Path

from click.testing import CliRunner

from pipelines.cli import main
from pipelines.judge.answers import Answers
from pipelines.judge.task import write_task
from pipelines.store import initialise
from tests.judge.conftest import make_task, pair
from tests.serving.shop import CONFIG, ServedShop


def run(shop: ServedShop, *arguments: str) -> str:
    result = CliRunner().invoke(main, [*arguments, "--config", str(shop.config_path)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_questions_about_hidden_items_are_neither_asked_nor_waited_for(tmp_path: Path) -> None:
    shop = ServedShop(tmp_path)
    shop.config_path.write_text(CONFIG, encoding="utf-8")
    initialise(shop.store, 2)
    task = make_task([pair("p0"), pair("p1"), pair("p2", 1)], raters=1)
    write_task(shop.store, task)
    with Answers.open(shop.config().answers) as answers:
        for name in ("p1", "p2"):
            answers.record(task, name, "ann", "same")
    assert json.loads(run(shop, "judge", "report", "--json"))["queries"] == 0
    run(shop, "hide", "p0", "--reason", "sold")
    told = json.loads(run(shop, "judge", "report", "--json"))
    assert (told["queries"], told["pairs"]) == (2, 2)
    run(shop, "judge", "export", "t1", str(tmp_path / "bob.csv"), "--rater", "bob")
    assert list(csv.reader((tmp_path / "bob.csv").open(encoding="utf-8-sig")))[1:] == []
    run(shop, "unhide", "p0")
    run(shop, "judge", "export", "t1", str(tmp_path / "cy.csv"), "--rater", "cy")
    assert [row[0] for row in csv.reader((tmp_path / "cy.csv").open(encoding="utf-8-sig"))][1:] == ["p0"]
