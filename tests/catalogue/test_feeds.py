import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.catalogue.feeds import check_columns, find_files, read_positions
from pipelines.catalogue.rows import FeedError
from pipelines.config import Config

HEADER = "sku,image,path\n"


def config(folder: Path, columns: dict[str, Any] | None = None, **catalogue: Any) -> Config:
    mapping = {"item_id": "sku", "photos": "image", "category": "path", **(columns or {})}
    section = {"snapshot": "feed.csv", **catalogue, "columns": mapping}
    section = {key: value for key, value in section.items() if value is not None}
    return Config.model_validate({"store": {"uri": "s"}, "catalogue": section, "folder": str(folder)})


def write(folder: Path, name: str, text: str = HEADER) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(found: Config, positions: dict[str, str] | None = None) -> str:
    with pytest.raises(FeedError) as caught:
        check_columns(found, find_files(found, positions or {}))
    return str(caught.value)


def test_deltas_are_read_once_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path, "feed.csv")
    for name in ("2026-01-03.csv", "2026-01-01.csv", "2026-01-02.csv"):
        write(tmp_path / "deltas", name)
    found = config(tmp_path, deltas="deltas/*.csv")
    files = find_files(found, {})
    assert [(f.feed, f.file.name) for f in files] == [
        ("snapshot", "feed.csv"),
        *(("deltas", f"2026-01-0{day}.csv") for day in (1, 2, 3)),
    ]
    assert [f.order for f in files] == [0, 1, 2, 3]
    positions = read_positions(files, 0.0, {})
    assert positions == {"snapshot": "1970-01-01T00:00:00.000000+00:00", "deltas": "2026-01-03.csv"}
    write(tmp_path / "deltas", "2026-01-04.csv")
    assert [f.file.name for f in find_files(found, positions)] == ["feed.csv", "2026-01-04.csv"]


@pytest.mark.parametrize("folder", ["sh[o]p v2", "a*b", "what?", "{a,b}", "50%25 ö", "back\\slash"])
@pytest.mark.parametrize("pattern", ["feed.csv", "*.csv", "deltas/../f?ed.[ct]sv", "feed [v2].csv"])
def test_the_name_of_the_config_s_folder_is_no_pattern(tmp_path: Path, folder: str, pattern: str) -> None:
    name = "feed [v2].csv" if "v2" in pattern else "feed.csv"
    wanted = write(tmp_path / folder, name)
    (tmp_path / folder / "deltas").mkdir()
    assert [file.file for file in find_files(config(tmp_path / folder, snapshot=pattern), {})] == [wanted]
    assert [file.file for file in find_files(config(tmp_path, snapshot=str(wanted)), {})] == [wanted]


def test_the_position_of_a_snapshot_without_times_is_that_of_its_file(tmp_path: Path) -> None:
    os.utime(write(tmp_path, "feed.csv"), (86400, 86400))
    files = find_files(config(tmp_path), {})
    assert read_positions(files, None, {}) == {"snapshot": "1970-01-02T00:00:00.000000+00:00"}


def test_equal_bytes_have_equal_digests(tmp_path: Path) -> None:
    for name in ("1.csv", "2.csv"):
        write(tmp_path, name)
    one, two = find_files(config(tmp_path, snapshot="*.csv"), {})
    assert one.digest == two.digest


def test_deltas_may_come_later_beside_a_snapshot_or_after_others(tmp_path: Path) -> None:
    write(tmp_path, "feed.csv")
    assert len(find_files(config(tmp_path, deltas="deltas/*.csv"), {})) == 1
    assert find_files(config(tmp_path, snapshot=None, deltas="deltas/*.csv"), {"deltas": "a.csv"}) == []


def test_a_feed_of_an_unknown_format(tmp_path: Path) -> None:
    write(tmp_path, "feed.xlsx")
    assert "feed.xlsx has an unknown ending; use one of .csv" in refusal(config(tmp_path, snapshot="feed.xlsx"))


def test_a_missing_column_names_the_key_and_what_is_there(tmp_path: Path) -> None:
    path = write(tmp_path, "feed.csv", "sku,image,path,colour\n")
    message = refusal(config(tmp_path, columns={"attributes": {"colour": "color"}}))
    assert message == (
        f"{path} has no column 'color', which catalogue.columns.attributes.colour names; did you mean 'colour'? "
        "its columns are: sku, image, path, colour"
    )


def test_a_missing_column_of_the_media_table(tmp_path: Path) -> None:
    write(tmp_path, "feed.csv")
    write(tmp_path, "m.csv", "sku,file,l,t,r\n")
    media = {"path": "m.csv", "columns": {"item_id": "sku", "photo": "file", "box": ["l", "t", "r", "b"]}}
    assert "m.csv has no column 'b', which catalogue.media.columns.box names; its columns are: sku, file, l, t, r" in (
        refusal(config(tmp_path, media=media))
    )


def test_a_column_that_is_there_twice(tmp_path: Path) -> None:
    write(tmp_path, "feed.csv", "sku,image,path,image\n")
    assert "feed.csv has 2 columns 'image'; rename all but the one that is meant" in refusal(config(tmp_path))


def test_numbered_columns_must_all_be_in_a_table_but_not_in_json(tmp_path: Path) -> None:
    columns = {"photos": ["image", "image_2"], "category": ["path", "leaf"], "title": "name"}
    write(tmp_path, "feed.csv", "sku,image,path,leaf,name\n")
    assert "has no column 'image_2', which catalogue.columns.photos names; did you mean 'image'?" in (
        refusal(config(tmp_path, columns=columns))
    )
    write(tmp_path, "feed.jsonl", '{"sku": "1", "image": "a", "path": "p"}\n')  # what is empty is left out
    found = config(tmp_path, columns=columns, snapshot="feed.jsonl")
    check_columns(found, find_files(found, {}))
    write(tmp_path, "feed.jsonl", '{"sku": "1", "path": "p"}\n')
    assert "has no column 'image', which catalogue.columns.photos" in (
        refusal(config(tmp_path, columns=columns, snapshot="feed.jsonl"))
    )


def test_a_file_of_deletes_needs_ids_only(tmp_path: Path) -> None:
    write(tmp_path, "deltas/1.csv", "sku,gone\n1,true\n")
    found = config(tmp_path, columns={"deleted": "gone"}, snapshot=None, deltas="deltas/*.csv")
    check_columns(found, find_files(found, {}))
    write(tmp_path, "deltas/2.csv", "gone,path\ntrue,A\n")
    assert "2.csv has no column 'sku', which catalogue.columns.item_id names" in refusal(found)


def test_the_column_of_deletes_may_be_absent_but_not_misspelt(tmp_path: Path) -> None:
    columns = {"deleted": "deleted"}
    write(tmp_path, "feed.csv")
    found = config(tmp_path, columns=columns)
    check_columns(found, find_files(found, {}))
    write(tmp_path, "feed.csv", "sku,image,path,deletd\n")
    assert "did you mean 'deletd'?" in refusal(config(tmp_path, columns=columns))


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
def test_a_delimiter_that_cannot_be_one(tmp_path: Path, delimiter: str) -> None:
    write(tmp_path, "feed.csv")
    assert f"catalogue.delimiter = {delimiter!r} must be one character, such as ',' or ';'" in (
        refusal(config(tmp_path, delimiter=delimiter))
    )


def test_columns_of_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"sku": ["1"], "image": ["a"]}), tmp_path / "feed.parquet")
    assert "has no column 'path', which catalogue.columns.category names; its columns are: sku, image" in (
        refusal(config(tmp_path, snapshot="feed.parquet"))
    )


def test_a_feed_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "feed.csv").mkdir()
    assert refusal(config(tmp_path)) == (
        f"{tmp_path / 'feed.csv'} cannot be read: Is a directory; replace it, or leave it out of the feed"
    )
