"""What a user sees when the input is wrong: the value, the fix, the exit code, and a store in which nothing changed."""

import errno
import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pipelines.runs.commands import completed
from pipelines.store import folder
from tests.catalogue.shop import Shop, plain_shop, rows_of

FAILED, USAGE, REFUSED = 1, 2, 3
CATALOGUE = ("catalogue/log/00000001.json", "runs/r/catalogue/manifest.json", "taxonomy/00000001.json")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Ten items with a photo each."""
    return plain_shop(tmp_path / "shop")


def visible(shop: Shop) -> list[str]:
    """What readers start from: logs, manifests, releases, models."""
    names = [entry.name for entry in shop.store.list("")]
    logs = ("catalogue/log/", "live/", "releases/", "models/", "taxonomy/")
    return sorted(name for name in names if name.startswith(logs) or name.endswith("manifest.json"))


def refused(shop: Shop, *arguments: str, code: int = FAILED, new: tuple[str, ...] = ()) -> str:
    """Run a command that must fail, and leave nothing `new` that a reader would see but what an earlier stage did.

    Return what it says on stderr.
    """
    before = visible(shop)
    result = shop.cli(*arguments)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert sorted({*visible(shop)} - {*before}) == sorted(new)
    assert len(result.stdout.splitlines()) == sum(name.endswith("manifest.json") for name in new)
    return result.stderr


def works(shop: Shop, last: str = "catalogue", run_id: str = "repaired") -> None:
    """After the repair a run takes all ten items through the stages up to `last`."""
    result = shop.cli("run", "--to", last, "--run-id", run_id)
    assert result.exit_code == 0, result.output
    counts = json.loads(result.stdout.splitlines()[-1])["counts"]
    assert counts["ok"] + counts["skipped"] == counts["in"] == 10
    assert len(shop.item_ids()) == 10


def test_a_wrong_key_in_the_config(shop: Shop) -> None:
    shop.write_config(catalogue={"snapsot": "feed.csv"})
    message = refused(shop, "catalogue", code=USAGE)
    assert "shop.toml: unknown key 'catalogue.snapsot' (value 'feed.csv'); did you mean 'snapshot'?" in message
    assert not (shop.root / "store").exists()


@pytest.mark.parametrize(
    ("section", "setting"),
    [
        ("store", {"uri": "${SHOP}/store"}),
        ("store", {"uri": "s3://shop/store"}),
        ("catalogue", {"snapshot": "sftp://shop/feed.csv"}),
        ("catalogue", {"delimiter": "tab"}),
    ],
)
def test_a_value_that_cannot_be_meant(shop: Shop, section: str, setting: dict[str, str]) -> None:
    shop.write_config(**{section: setting})
    before = sorted(shop.root.iterdir())
    [(key, value)] = setting.items()
    assert f"shop.toml: {section}.{key} = {value!r}: " in refused(shop, "run", code=USAGE)
    assert sorted(shop.root.iterdir()) == before


def test_a_config_file_that_is_not_there(shop: Shop) -> None:
    (shop.root / "shop.toml").unlink()
    message = refused(shop, "run", code=USAGE)
    assert f"there is no config file '{shop.root / 'shop.toml'}'; check the path given with --config" in message


def test_a_feed_that_is_not_there(shop: Shop) -> None:
    shop.write_config(catalogue={"snapshot": "feeds/*.csv"})
    message = refused(shop, "catalogue")
    assert f"catalogue.snapshot = 'feeds/*.csv' matches no file in {shop.root}; check the path" in message
    (shop.root / "feeds").mkdir()
    (shop.root / "feed.csv").rename(shop.root / "feeds" / "monday.csv")
    works(shop)


def test_deltas_alone_that_are_not_there(shop: Shop) -> None:
    shop.write_config(catalogue={"snapshot": None, "deltas": "deltas/*.csv"})
    message = refused(shop, "catalogue")
    assert f"catalogue.deltas = 'deltas/*.csv' matches no file in {shop.root}; check the path" in message


def test_a_media_table_that_is_not_there(shop: Shop) -> None:
    shop.write_config(catalogue={"media": {"path": "street.csv", "columns": {"item_id": "sku", "photo": "image"}}})
    message = refused(shop, "catalogue")
    assert f"catalogue.media = 'street.csv' matches no file in {shop.root}; check the path" in message


@pytest.mark.parametrize("stage", ["catalogue", "preprocess"])
def test_a_photo_folder_that_is_not_there(shop: Shop, stage: str) -> None:
    run = ("--run-id", "r")
    if stage == "preprocess":  # gone since the catalogue was read
        assert shop.cli("catalogue", *run).exit_code == 0
    shop.photos.rename(shop.root / "pictures")
    message = refused(shop, stage, *run)
    assert f"catalogue.photo_root = 'photos': there is no folder {shop.photos}; correct the path, or mount" in message
    (shop.root / "pictures").rename(shop.photos)
    works(shop, run_id="r")


def test_photos_that_cannot_be_read_are_rejects_that_are_named(shop: Shop) -> None:
    good = {photo.name: photo.read_bytes() for photo in shop.photos.iterdir()}
    (shop.photos / "p1.jpg").write_bytes(good["p1.jpg"][:300])
    (shop.photos / "p2.jpg").write_text("photo will follow\n")
    (shop.photos / "p3.jpg").write_bytes(b"")
    (shop.photos / "p4.jpg").unlink()
    (shop.photos / "p5.jpg").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99))
    shop.write_config(preprocess={"max_rejected_share": 0.3})
    message = refused(shop, "run", "--to", "preprocess", "--run-id", "r", code=FAILED, new=CATALOGUE)
    assert (
        "preprocess rejected 5 of 10 records (50.0%; empty 1, missing 1, not_an_image 1, truncated 1, "
        "unsupported_format 1), over preprocess.max_rejected_share = 30.0%; mend the input or "
        "the config; raise the limit only if the shop can do without these" in message
    )
    left = [entry.name for entry in shop.store.list("runs/r/preprocess")]
    assert left == ["runs/r/preprocess/plan/attempts/00000001.json"], "the next attempt has a folder of its own"

    for name in ("p1.jpg", "p5.jpg"):
        (shop.photos / name).write_bytes(good[name])
    result = shop.cli("preprocess", "--run-id", "r")  # the same run, not a new one
    assert result.exit_code == 0
    counts = json.loads(result.stdout)["counts"]
    assert (counts["in"], counts["ok"], counts["skipped"], counts["rejected"]) == (10, 2, 5, 3)
    assert "3 of 10 rejected: empty 1, missing 1, not_an_image 1" in result.stderr
    assert "empty, for example p3.jpg: the file has no bytes" in result.stderr
    assert "missing, for example p4.jpg: there is nothing at the uri" in result.stderr
    assert "not_an_image, for example p2.jpg: the bytes are not a picture: HTML, PDF, text" in result.stderr

    for name, data in good.items():
        (shop.photos / name).write_bytes(data)
    works(shop, "preprocess")


def test_a_photo_without_permission_is_tried_again_each_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    # Root may read what it likes, so the refusal is played; what is tested is that `chmod` alone, which changes neither
    # size nor time of the file, is enough of a repair.
    read = Path.read_bytes

    def deny(path: Path) -> bytes:
        if path.name == "p3.jpg":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", deny)
        for run_id in ("r1", "r2"):
            assert shop.run(run_id, "catalogue", "preprocess")["preprocess"]["rejects"] == {"unreadable": 1}
    mended = shop.run("r3", "catalogue", "preprocess")["preprocess"]
    assert (mended["counts"]["prepared"], mended["rejects"]) == (1, {})


def test_duplicate_item_ids(shop: Shop) -> None:
    rows = rows_of(10)
    shop.write_csv([*rows, rows[4], {**rows[7], "name": "Another name"}])
    result = shop.cli("catalogue")
    assert result.exit_code == 0
    counts = json.loads(result.stdout)["counts"]
    assert (counts["in"], counts["ok"], counts["skipped"], counts["rejected"]) == (12, 10, 1, 1)
    assert (
        "conflicting_duplicate, for example feed.csv:13: item 'i7' stands in feed.csv:9 already with other values"
        in result.stderr
    )
    assert {row["title"] for row in shop.table("items")} == {f"Item {n}" for n in range(10)}


def test_bad_utf8_in_a_row(shop: Shop) -> None:
    path = shop.root / "feed.csv"
    path.write_bytes(path.read_bytes().replace(b"Item 4", b"Caf\xe9"))
    result = shop.cli("catalogue", "--run-id", "r")
    assert result.exit_code == 0
    assert "1 of 10 rejected: bad_utf8 1" in result.stderr
    assert "bad_utf8, for example feed.csv:6: column 'name' is not UTF-8" in result.stderr
    assert shop.item_ids() == {f"i{n}" for n in range(10)} - {"i4"}
    path.write_bytes(path.read_bytes().replace(b"Caf\xe9", "Café".encode()))
    works(shop)


def test_a_whole_feed_in_another_encoding(shop: Shop) -> None:
    rows = rows_of(10, name="Kälte")
    (shop.root / "feed.csv").write_bytes(shop.write_csv(rows).read_bytes().decode().encode("latin-1"))
    message = refused(shop, "catalogue")
    assert "catalogue rejected 10 of 10 records (100.0%; bad_utf8 10), over catalogue.max_rejected_share" in message
    assert "bad_utf8, for example feed.csv:2: column 'name' is not UTF-8 (byte 0xe4); see catalogue.encoding" in message


def test_a_missing_column(shop: Shop) -> None:
    path = shop.write_csv([{("pictures" if k == "image" else k): v for k, v in row.items()} for row in rows_of(10)])
    message = refused(shop, "catalogue")
    assert (
        f"{path} has no column 'image', which catalogue.columns.photos names; "
        "its columns are: sku, pictures, path, name" in message
    )
    shop.write_config(catalogue={"columns": {"item_id": "sku", "photos": "pictures", "category": "path"}})
    works(shop)


def test_a_misspelt_column(shop: Shop) -> None:
    shop.write_config(catalogue={"columns": {"item_id": "skuu", "photos": "image", "category": "path"}})
    message = refused(shop, "catalogue")
    assert "has no column 'skuu', which catalogue.columns.item_id names; did you mean 'sku'? " in message


def test_another_delimiter(shop: Shop) -> None:
    path = shop.root / "feed.csv"
    path.write_text(path.read_text().replace(",", ";"))
    message = refused(shop, "catalogue")
    assert "has no column 'sku'" in message
    assert "is catalogue.delimiter = ',' right? its columns are: sku;image;path;name" in message
    shop.write_config(catalogue={"delimiter": ";"})
    works(shop)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "{path} is empty: it has no header and no rows; replace it, or leave it out of the feed"),
        ("sku,image,path,name\n", "the feed holds no rows: {path}; nothing was changed. Export it again"),
        ("\n", "{path} is empty"),
    ],
)
def test_no_rows(shop: Shop, content: str, message: str) -> None:
    path = shop.root / "feed.csv"
    good = path.read_text()
    path.write_text(content)
    assert message.format(path=path) in refused(shop, "catalogue")
    path.write_text(good)
    works(shop)
    path.write_text(content)  # nor may an empty export empty a catalogue that is there
    assert message.format(path=path) in refused(shop, "catalogue", "--run-id", "next")


def test_one_category_only(shop: Shop) -> None:
    shop.write_csv(rows_of(10, path="Shoes"))
    works(shop)  # a catalogue of one category is one; that a model needs two is the train stage's to say
    assert {tuple(row["category"]) for row in shop.table("items")} == {("Shoes",)}


def test_a_snapshot_that_lost_half_its_items(shop: Shop) -> None:
    works(shop, run_id="first")
    shop.write_csv(rows_of(5))
    message = refused(shop, "run", "--run-id", "r", code=REFUSED)
    assert "refused: the snapshot removes 5 of 10 items (50.0%), over catalogue.max_removed_share = 30.0%" in message
    assert "  Shoes: 5 of 10\nIf this is right, run again with --accept 'REASON'" in message
    command = f"run --config {shop.config} --run-id r --policy reuse --accept 'REASON'"
    message = refused(shop, "run", "--run-id", "r", "--policy", "reuse", code=REFUSED)
    assert "\nTo take it all the same: " in message and message.endswith(f"visual-search {command}\n")
    assert len(shop.item_ids()) == 10
    result = shop.cli("run", "--run-id", "r", "--to", "catalogue", "--accept", "the summer range is over")
    assert result.exit_code == 0
    assert shop.item_ids() == {f"i{n}" for n in range(5)}
    assert shop.head()[1]["accepted"] == "the summer range is over"
    assert json.loads(result.stdout.splitlines()[0])["counts"]["removed"] == 5


def test_a_store_of_a_newer_format(shop: Shop) -> None:
    works(shop, run_id="first")
    (shop.root / "store" / "format.json").write_text('{"format": 2, "buckets": 3}')
    for command in ("catalogue", "run", "status", "gc", "rollback --reason r", "search --item a"):
        message = refused(shop, *command.split())
        assert f"{shop.store.uri} has format 2, this version reads format 1; upgrade visual-search" in message
    (shop.root / "store" / "format.json").write_text('{"format": 1, "buckets": 3}')
    works(shop, run_id="first")


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k,nr_inodes=9999", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a disk of its own; the other tests play a full one")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full(full_disk: Path, shop: Shop) -> None:
    shop.link_store(full_disk)
    assert shop.cli("catalogue", "--run-id", "r").exit_code == 0
    with suppress(OSError), (full_disk / "ballast").open("wb") as file:
        for _ in range(100):
            file.write(bytes(4096))
            file.flush()
    message = refused(shop, "preprocess", "--run-id", "r")
    assert f"no space left on the device for {full_disk}/" in message
    assert completed("free some (`visual-search gc`) and run again", str(shop.config)) in message
    (full_disk / "ballast").unlink()
    works(shop, "preprocess", run_id="r")


@pytest.mark.parametrize(
    ("stage", "where", "which"),
    [
        ("catalogue", "/catalogue/", 5),  # on a worker, in the middle of the tables
        ("catalogue", "/catalogue/log/", 1),  # on the launcher, when all is done
        ("preprocess", "/runs/r/preprocess/plan/", 3),
        ("preprocess", "/images/", 4),  # in the second unit: each writes data, then keys
        ("preprocess", "/sources/", 1),  # when the images of the unit are there already
        ("preprocess", "/runs/r/preprocess/photos/", 2),
    ],
)
def test_a_disk_that_becomes_full_on_the_way(
    shop: Shop, stage: str, where: str, which: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, writes = folder._write, []

    def write_or_not(path: Path, data: bytes) -> None:
        if f"/store{where}" in str(path):
            writes.append(path)
            if len(writes) == which:
                path.write_bytes(data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device")
        write(path, data)

    if stage == "preprocess":
        assert shop.cli("catalogue", "--run-id", "r").exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(folder, "_write", write_or_not)
        # Slots are given before the catalogue that needs them is announced; they harm nobody.
        message = refused(shop, stage, "--run-id", "r", new=CATALOGUE[2:] if where.endswith("log/") else ())
    assert f"no space left on the device for {shop.root}/store{where}" in message
    assert not list((shop.root / "store").rglob(".tmp-*"))
    works(shop, stage, run_id="r")
