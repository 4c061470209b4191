"""`hide` and `unhide` as they are typed."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from tests.catalogue.shop import Shop, plain_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = plain_shop(tmp_path / "shop", 4)
    shop.run("r", "catalogue")
    return shop


def last(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    value: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return value


def test_hidden_listed_and_shown_again(shop: Shop) -> None:
    done = shop.cli("hide", " i1", "i2", "later", "--reason", "sold out")
    assert last(done) == {"action": "hide", "number": 1, "changed": 3, "unchanged": 0, "unknown": 1, "hidden": 3}
    assert done.stderr.splitlines() == [
        "hide: 3 items are hidden: no search finds them",
        "hide: 1 item is in no catalogue now, and hidden from when a feed names it: 'later'",
    ]
    again = shop.cli("hide", "i1", "--reason", "once more")
    assert (last(again)["number"], last(again)["unchanged"]) == (1, 1)
    assert again.stderr == "hide: 1 item is hidden already\n"
    lines = [json.loads(line) for line in shop.cli("hide", "--list", "--json").stdout.splitlines()]
    assert [line["item_id"] for line in lines] == ["i1", "i2", "later"]
    assert lines[0].keys() == {"item_id", "reason", "at", "by"}
    assert lines[0]["reason"] == "sold out"
    listed = shop.cli("hide", "--list").stdout.splitlines()
    assert listed[0].startswith("i1  since 20")
    assert listed[0].endswith(": sold out")
    shown = shop.cli("unhide", "i1", "i2", "later", "i3")
    assert last(shown) == {"action": "unhide", "number": 2, "changed": 3, "unchanged": 1, "unknown": 1, "hidden": 0}
    back, unchanged = shown.stderr.splitlines()
    found = "searches find them at once where the index holds them, else after the next run"
    assert back == f"unhide: 3 items are shown again: {found}"
    assert unchanged == "unhide: 1 item is not hidden"
    assert shop.cli("hide", "--list").stderr == "nothing is hidden\n"


def test_a_file_of_ids_whose_heading_is_that_of_the_feed(shop: Shop) -> None:
    path = shop.root / "ids.csv"
    path.write_bytes(b"\xef\xbb\xbfsku\r\ni0\r\ni3\r\n")
    assert last(shop.cli("hide", "--file", str(path), "--reason", "recalled"))["hidden"] == 2
    result = CliRunner().invoke(main, ["unhide", "--config", str(shop.config), "--file", "-"], input=b"i0\n")
    assert last(result)["hidden"] == 1


def test_ids_that_look_like_options_and_odd_letters(shop: Shop) -> None:
    assert last(shop.cli("hide", "--reason", "sold", "--", "-k", "größe\n7"))["hidden"] == 2
    listed = shop.cli("hide", "--list").stdout
    assert "größe\\n7  since" in listed
    assert len(listed.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["hide", "i1"], "say why with --reason"),
        (["hide", "i1", "--reason", " "], "say why with --reason"),
        (["hide", "--reason", "sold"], "name items, or a --file of them"),
        (["unhide"], "name items, or a --file of them"),
        (["unhide", "i1", "--file", "ids.txt"], "and not both"),
        (["hide", "--list", "i1"], "--list shows what is hidden"),
        (["hide", "--json", "i1", "--reason", "sold"], "--json is for --list"),
    ],
)
def test_wrong_usage(shop: Shop, arguments: list[str], told: str) -> None:
    result = shop.cli(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_what_cannot_be_done(shop: Shop, tmp_path: Path) -> None:
    for arguments, told in (
        (["hide", "  ", "--reason", "sold"], "there is no item id"),
        (["hide", "--file", str(tmp_path / "gone"), "--reason", "sold"], "gone cannot be read"),
    ):
        result = shop.cli(*arguments)
        assert result.exit_code == 1
        assert told in result.stderr
    new = plain_shop(tmp_path / "new", 1)
    result = new.cli("hide", "i1", "--reason", "sold")
    assert result.exit_code == 1
    assert "is not a store yet" in result.stderr
