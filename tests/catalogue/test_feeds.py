import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.catalogue.deltas import Delta, Sorted, order, read_record, sort, write_record
from pipelines.catalogue.feeds import READ_AGAIN, Feeds, find_feeds, last_delta
from pipelines.catalogue.formats.base import FeedError
from pipelines.catalogue.headers import check_columns
from pipelines.config import Config
from pipelines.store import open_store

HEADER = "sku,image,path\n"
NOW = 1_795_000_000.0


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


def found(section: Config, **more: Any) -> Feeds:
    return find_feeds(section, NOW, **more)


def refusal(section: Config) -> str:
    with pytest.raises(FeedError) as caught:
        check_columns(section.catalogue, found(section).files)
    return str(caught.value)


def check(section: Config) -> None:
    check_columns(section.catalogue, found(section).files)


def read(section: Config, positions: dict[str, str], before: Feeds | None = None) -> list[str]:
    """The deltas that are read after those of before."""
    record = {delta.path: delta for delta in before.deltas.record} if before else None
    return [file.path for file in found(section, positions=positions, record=record).of("deltas")]


def test_deltas_are_read_once_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path, "feed.csv")
    for name in ("2026-01-03.csv", "2026-01-01.csv", "2026-01-02.csv"):
        write(tmp_path / "deltas", name)
    section = config(tmp_path, deltas="deltas/*.csv")
    feeds = found(section)
    assert [(f.feed, f.path) for f in feeds.files] == [
        ("snapshot", "feed.csv"),
        *(("deltas", f"2026-01-0{day}.csv") for day in (1, 2, 3)),
    ]
    assert [f.order for f in feeds.files] == [0, 1, 2, 3]
    assert last_delta(feeds, "") == "2026-01-03.csv"
    write(tmp_path / "deltas", "2026-01-04.csv")
    assert read(section, {"deltas": "2026-01-03.csv"}, feeds) == ["2026-01-04.csv"]
    assert last_delta(found(section, positions={"deltas": "2026-01-04.csv"}), "2026-01-04.csv") == "2026-01-04.csv"


ORDERS = [
    ("delta-9.csv", "delta-10.csv"),
    ("2026-11-26/products.csv", "2026-11-27/products.csv"),
    ("2026/9/1.csv", "2026/10/1.csv"),
    ("day=2026-11-26/part-9.csv", "day=2026-11-26/part-10.csv"),
    ("day=2026-11-26/part-10.csv", "day=2026-11-27/part-1.csv"),
    ("a/z.csv", "a-1/b.csv"),  # folder by folder: a slash is no character of a name
    ("009.csv", "10.csv"),
    ("delta_1764288000.csv", "delta_1764291600.csv"),
    ("delta.csv", "delta.csv.gz"),
    ("1.csv", "01.csv"),
]


@pytest.mark.parametrize(("first", "second"), ORDERS)
def test_numbers_in_paths_count_as_numbers(first: str, second: str) -> None:
    if first == "1.csv":
        first, second = second, first  # equal as numbers: then as texts
    assert sorted([second, first], key=order) == [first, second]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("changes/*/products.csv", ["2026-11-26/products.csv", "2026-11-27/products.csv", "2026-11-28/products.csv"]),
        ("changes/delta-*.csv", ["delta-9.csv", "delta-10.csv", "delta-11.csv"]),
        ("changes/*/*/d.csv", ["2025/12/d.csv", "2026/2/d.csv", "2026/11/d.csv"]),
    ],
)
def test_each_file_is_read_once_when_its_turn_comes(tmp_path: Path, pattern: str, names: list[str]) -> None:
    section, positions, before, seen = config(tmp_path, snapshot=None, deltas=pattern), {}, None, []
    for name in names:
        write(tmp_path / "changes", name)
        seen += read(section, positions, before)
        record = {delta.path: delta for delta in before.deltas.record} if before else None
        before = found(section, positions=positions, record=record)
        positions = {"deltas": last_delta(before, positions.get("deltas", ""))}
        assert read(section, positions, before) == []
    assert seen == names


def delta(path: str, size: int = 9, at: float = 1.0, digest: str | None = "d") -> Delta:
    return Delta(path, size, at, digest)


def sorted_out(*there: Delta, record: list[Delta] | None, position: str = "5.csv", after: str | None = None) -> Sorted:
    digests = {one.path: one.digest or "" for one in there}
    known = None if record is None else {one.path: one for one in record}
    return sort(
        [Delta(one.path, one.size_bytes, one.modified_at) for one in there], position, known, digests.__getitem__, after
    )


def test_a_file_below_the_position_that_was_never_read_is_named_and_not_read(tmp_path: Path) -> None:
    out = sorted_out(delta("3.csv"), delta("4.csv"), delta("5.csv"), record=[delta("3.csv"), delta("5.csv")])
    assert (out.to_read, out.unread, out.changed) == ((), ("4.csv",), ())
    assert [one.path for one in out.record] == ["3.csv", "5.csv"]
    section = config(tmp_path, snapshot=None, deltas="d/*.csv")
    write(tmp_path, "d/4.csv")
    feeds = found(section, positions={"deltas": "5.csv"}, record={})
    assert feeds.notes == (
        "the file of deltas '4.csv' was never read, for it comes before '5.csv', the last one read: to have it read, "
        "give it a name that comes after '5.csv', or read the deltas of its day by a backfill",
    )


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        (delta("5.csv"), False),
        (delta("5.csv", at=2.0), False),  # written again as it was
        (delta("5.csv", at=2.0, digest="e"), True),
        (delta("5.csv", size=10), True),  # more was appended
    ],
)
def test_a_file_that_is_another_by_now_is_named(tmp_path: Path, now: Delta, changed: bool) -> None:
    out = sorted_out(now, record=[delta("5.csv")])
    assert (out.to_read, out.unread, out.changed) == ((), (), ("5.csv",) * changed)
    assert out.record == (delta("5.csv"),)  # as it was read, so that it is named the next time too


def test_the_change_is_told_in_words(tmp_path: Path) -> None:
    section = config(tmp_path, snapshot=None, deltas="delta.csv")
    write(tmp_path, "delta.csv")
    before = found(section)
    write(tmp_path, "delta.csv", HEADER + "1,a.jpg,b\n")
    record = {one.path: one for one in before.deltas.record}
    [note] = found(section, positions={"deltas": "delta.csv"}, record=record).notes
    assert note.startswith(
        "the file of deltas 'delta.csv' has changed since it was read: to have it read, give it a name"
    )


def test_what_is_read_again_is_known_as_such() -> None:
    out = sorted_out(
        delta("3.csv"), delta("4.csv"), delta("5.csv", size=10), record=[delta("3.csv"), delta("5.csv")], after=""
    )
    assert [one.path for one in out.to_read] == ["3.csv", "4.csv", "5.csv"]
    assert out.again == {"3.csv"}  # the others bring something new
    assert (out.unread, out.changed) == ((), ())
    assert [one.path for one in out.record] == ["3.csv", "4.csv", "5.csv"]


def test_without_a_record_all_up_to_the_position_counts_as_read() -> None:
    out = sorted_out(delta("4.csv"), delta("10.csv"), record=None)
    assert ([one.path for one in out.to_read], out.again, out.unread) == (["10.csv"], frozenset(), ())
    assert [(one.path, one.digest) for one in out.record] == [("4.csv", None), ("10.csv", "d")]
    later = sorted_out(delta("4.csv", at=7.0, digest="e"), record=list(out.record), position="10.csv")
    assert later.changed == ()  # what it was is not known


def test_the_last_name_that_earlier_versions_kept_of_files_in_folders_says_nothing(tmp_path: Path) -> None:
    for day in (26, 27):
        write(tmp_path, f"changes/2026-11-{day}/products.csv")
    section = config(tmp_path, snapshot=None, deltas="changes/*/products.csv")
    feeds = found(section, positions={"deltas": "products.csv"})
    assert [file.path for file in feeds.of("deltas")] == ["2026-11-26/products.csv", "2026-11-27/products.csv"]
    assert feeds.notes == (READ_AGAIN,)
    assert last_delta(feeds, "") == "2026-11-27/products.csv"


def test_the_record_is_kept_with_a_catalogue(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    assert read_record(store, "c") is None
    write_record(store, "c", [delta("1.csv"), delta("a/2.csv", digest=None)])
    assert read_record(store, "c") == {"1.csv": delta("1.csv"), "a/2.csv": delta("a/2.csv", digest=None)}


def test_a_file_is_never_of_later_than_now(tmp_path: Path) -> None:
    os.utime(write(tmp_path, "feed.csv"), (NOW + 9e8, NOW + 9e8))
    assert found(config(tmp_path)).files[0].modified_at == NOW


def test_equal_bytes_have_equal_digests(tmp_path: Path) -> None:
    for name in ("1.csv", "2.csv"):
        write(tmp_path, name)
    one, two = found(config(tmp_path, snapshot="*.csv")).files
    assert one.digest == two.digest


def test_deltas_may_come_later_beside_a_snapshot_or_after_others(tmp_path: Path) -> None:
    write(tmp_path, "feed.csv")
    assert len(found(config(tmp_path, deltas="deltas/*.csv")).files) == 1
    only = config(tmp_path, snapshot=None, deltas="deltas/*.csv")
    assert found(only, positions={"deltas": "a.csv"}).files == ()


@pytest.mark.parametrize("folder", ["sh[o]p v2", "a*b", "what?", "{a,b}", "50%25 ö", "back\\slash"])
@pytest.mark.parametrize("pattern", ["feed.csv", "*.csv", "deltas/../f?ed.[ct]sv", "feed [v2].csv"])
def test_the_name_of_the_config_s_folder_is_no_pattern(tmp_path: Path, folder: str, pattern: str) -> None:
    name = "feed [v2].csv" if "v2" in pattern else "feed.csv"
    wanted = write(tmp_path / folder, name)
    (tmp_path / folder / "deltas").mkdir()
    assert [file.file for file in found(config(tmp_path / folder, snapshot=pattern)).files] == [wanted]
    assert [file.file for file in found(config(tmp_path, snapshot=str(wanted))).files] == [wanted]


def test_files_are_known_by_their_paths_below_the_folder_of_the_pattern(tmp_path: Path) -> None:
    folder = "[shop]"
    write(tmp_path / folder, "feeds/1.csv")
    write(tmp_path / folder, "feeds/[2].csv")
    assert [f.path for f in found(config(tmp_path / folder, snapshot="feeds/*.csv")).files] == ["1.csv", "[2].csv"]
    assert [f.path for f in found(config(tmp_path / folder, snapshot="feeds/[2].csv")).files] == ["[2].csv"]


def test_a_feed_of_an_unknown_format(tmp_path: Path) -> None:
    write(tmp_path, "feed.xlsx")
    assert "feed.xlsx is a workbook; save it as CSV, or use one of .atom, .csv" in refusal(
        config(tmp_path, snapshot="feed.xlsx")
    )


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
    check(config(tmp_path, columns=columns, snapshot="feed.jsonl"))
    write(tmp_path, "feed.jsonl", '{"sku": "1", "path": "p"}\n')
    assert "has no column 'image', which catalogue.columns.photos" in (
        refusal(config(tmp_path, columns=columns, snapshot="feed.jsonl"))
    )


def test_a_file_of_deletes_needs_ids_only(tmp_path: Path) -> None:
    write(tmp_path, "deltas/1.csv", "sku,gone\n1,true\n")
    section = config(tmp_path, columns={"deleted": "gone"}, snapshot=None, deltas="deltas/*.csv")
    check(section)
    write(tmp_path, "deltas/2.csv", "gone,path\ntrue,A\n")
    assert "2.csv has no column 'sku', which catalogue.columns.item_id names" in refusal(section)


def test_the_column_of_deletes_may_be_absent_but_not_misspelt(tmp_path: Path) -> None:
    columns = {"deleted": "deleted"}
    write(tmp_path, "feed.csv")
    check(config(tmp_path, columns=columns))
    write(tmp_path, "feed.csv", "sku,image,path,deletd\n")
    assert "did you mean 'deletd'?" in refusal(config(tmp_path, columns=columns))


def test_a_column_whose_empty_cells_mean_gone_may_not_be_absent(tmp_path: Path) -> None:
    write(tmp_path, "feed.csv")
    section = config(tmp_path, columns={"deleted": "published_at"}, deleted_words=[""], not_deleted_words=["*"])
    assert "has no column 'published_at', which catalogue.columns.deleted names" in refusal(section)


def test_a_header_over_several_lines_is_told_on_one(tmp_path: Path) -> None:
    write(tmp_path, "feed.csv", '"sku\n(number)","image\r\nfile",path\n')
    assert refusal(config(tmp_path)).endswith("its columns are: sku\\n(number), image\\r\\nfile, path")


def test_columns_of_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"sku": ["1"], "image": ["a"]}), tmp_path / "feed.parquet")
    assert "has no column 'path', which catalogue.columns.category names; its columns are: sku, image" in (
        refusal(config(tmp_path, snapshot="feed.parquet"))
    )


def test_a_feed_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "feed.csv").mkdir()
    assert refusal(config(tmp_path)) == (
        f"{tmp_path / 'feed.csv'} is a folder; name the files in it, as feed.csv/*.csv"
    )


def test_a_header_further_down_is_told(tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text("Products of 2026,,\n,,\nsku,image,path\n1,a.jpg,Shoes\n")
    said = refusal(config(tmp_path))
    assert "a line further down does: set catalogue.skip_lines = 1; its columns are: Products of 2026" in said
    for lines in (1, 2):
        check(config(tmp_path, skip_lines=lines))
