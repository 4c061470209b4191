from pathlib import Path

import pytest

from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.runs.inputs import check_photo_folders, check_share, first_examples, reject_notes
from pipelines.runs.ledger import Ledger

LEDGER = Ledger(20, 13, 1, 6, {"a": 1, "b": 2, "c": 1, "d": 1, "e": 1})
EXAMPLES = {code: f"{code}.jpg: {code} is wrong" for code in "abcde"}


def config(folder: Path, root: str) -> Config:
    columns = {"item_id": "sku", "photos": "image", "category": "path"}
    catalogue = {"snapshot": "feed.csv", "photo_root": root, "columns": columns}
    return Config.model_validate({"store": {"uri": "s"}, "catalogue": catalogue, "folder": str(folder)})


def test_the_photo_folder_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "file").touch()
    check_photo_folders(config(tmp_path, "photos"))
    for root in ("file", "nowhere"):
        with pytest.raises(
            StageError, match=rf"catalogue\.photo_root = '{root}': there is no folder {tmp_path}/{root};"
        ):
            check_photo_folders(config(tmp_path, root))


def test_rejects_are_counted_with_examples_of_the_most_frequent() -> None:
    assert reject_notes(LEDGER, EXAMPLES) == [
        "6 of 20 rejected: b 2, a 1, c 1, d 1, e 1",
        "  b, for example b.jpg: b is wrong",
        "  a, for example a.jpg: a is wrong",
        "  c, for example c.jpg: c is wrong",
    ]
    assert reject_notes(Ledger(3, 3), {}) == []


def test_the_gate_on_rejects_gives_the_same_examples() -> None:
    check_share("embed", LEDGER, 0.3, EXAMPLES)
    with pytest.raises(StageError) as caught:
        check_share("embed", LEDGER, 0.2, EXAMPLES)
    first, *rest = str(caught.value).splitlines()
    assert first.startswith("embed rejected 6 of 20 records (30.0%; b 2, a 1")
    assert rest == reject_notes(LEDGER, EXAMPLES)[1:]


def test_one_example_is_kept_whatever_the_order() -> None:
    left, right = {"a": "f.csv:10: x", "b": "f.csv:3: y"}, {"a": "f.csv:9: x", "c": "f.csv:1: z"}
    assert first_examples(left, right) == {"a": "f.csv:9: x", "b": "f.csv:3: y", "c": "f.csv:1: z"}
    assert first_examples(right, left) == first_examples(left, right)
