"""The command: whole or not at all, run again after any end, and what it refuses."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.errors import StageError
from pipelines.export.command import LOADERS, export_to_folder
from pipelines.export.source import Source
from pipelines.store import StoreError, open_store
from pipelines.store.folder import FolderStore
from pipelines.telemetry.progress import Progress
from tests.export.world import RELEASE, World, release, shop
from tests.gcs.emulator import Emulator

QUIET = Progress(quiet=True)
ROOT = Path(__file__).parents[2]


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def failing_at(cut: int, create: Callable[..., bool]) -> Callable[..., bool]:
    calls = iter(range(1_000))

    def stops(self: FolderStore, name: str, data: bytes) -> bool:
        if next(calls) == cut:
            raise KeyboardInterrupt
        return create(self, name, data)

    return stops


@pytest.mark.parametrize("to", sorted(LOADERS))
def test_stopped_at_any_file_it_goes_on_where_it_was(
    world: World, to: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_to_folder(world.store, None, to, str(tmp_path / "whole"), QUIET)
    whole = files(tmp_path / "whole")
    for cut in range(1, len(whole)):
        folder = tmp_path / str(cut)
        with monkeypatch.context() as patch:
            patch.setattr(FolderStore, "create", failing_at(cut, FolderStore.create))
            with pytest.raises(KeyboardInterrupt):
                export_to_folder(world.store, None, to, str(folder), QUIET)
        half = files(folder)
        assert len(half) == cut
        assert "manifest.json" not in half
        kept = {name: (folder / name).stat().st_ino for name in half}
        export_to_folder(world.store, None, to, str(folder), QUIET)
        assert files(folder) == whole
        assert {name: (folder / name).stat().st_ino for name in half} == kept  # nothing was written twice


def test_a_killed_process_leaves_nothing_that_the_next_run_does_not_mend(world: World, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = (
        "import os, signal, sys; from pipelines.store.folder import FolderStore; import pipelines.store.folder as f\n"
        "write, calls = f._write, iter(range(99))\n"
        "def dies(path, data):\n"
        "    write(path, data[:len(data) // 2] if (last := next(calls) == 5) else data)\n"
        "    if last: os.kill(os.getpid(), signal.SIGKILL)\n"
        "f._write = dies; from pipelines.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", script, "export", "--config", str(world.config), str(out)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == -9
    assert list(out.rglob(".tmp-*"))
    result = CliRunner().invoke(main, ["export", "--config", str(world.config), str(out)])
    assert result.exit_code == 0, result.output
    assert not list(out.rglob(".tmp-*"))
    export_to_folder(world.store, None, "parquet", str(tmp_path / "whole"), QUIET)
    assert files(out) == files(tmp_path / "whole")


def test_the_last_line_is_json_and_what_is_whole_stays(world: World, tmp_path: Path) -> None:
    command = ["export", "--config", str(world.config), "--quiet", str(tmp_path / "out")]
    first = CliRunner().invoke(main, command)
    assert json.loads(first.stdout) == {
        "format": "parquet",
        "schema": 1,
        "release_id": RELEASE,
        "uri": str(tmp_path / "out"),
        "counts": {"items": 60, "items_without_vectors": 1, "vectors": 61, "photos": 60},
    }
    before = files(tmp_path / "out")
    again = CliRunner().invoke(main, command)
    assert json.loads(again.stdout) == json.loads(first.stdout)
    assert files(tmp_path / "out") == before


def test_places_that_are_taken_are_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear shop")
    with pytest.raises(StageError, match=r"mine holds other files already; an export needs an empty folder"):
        export_to_folder(world.store, None, "parquet", str(tmp_path / "mine"), QUIET)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]
    with pytest.raises(StageError, match="is a store; an export needs a folder of its own"):
        export_to_folder(world.store, None, "parquet", world.store.uri, QUIET)
    export_to_folder(world.store, None, "vertex", str(tmp_path / "out"), QUIET)
    said = f"holds another export .format vertex, release_id {RELEASE}, schema 1.; choose another folder"
    with pytest.raises(StageError, match=said):
        export_to_folder(world.store, None, "parquet", str(tmp_path / "out"), QUIET)


def test_what_is_not_there_is_told(world: World, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    with pytest.raises(StageError, match="has no live release yet; make one with `visual-search run`"):
        export_to_folder(open_store(str(tmp_path / "new")), None, "parquet", out, QUIET)
    with pytest.raises(StoreError, match="holds no release 'r7'; choose one of `status`"):
        export_to_folder(world.store, "r7", "parquet", out, QUIET)
    assert not Path(out).exists()


def test_a_release_without_a_vector_is_refused(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.export.source.Rows.__len__", lambda _: 0)
    with pytest.raises(StageError, match=f"release {RELEASE} holds no vectors, so there is nothing to export"):
        export_to_folder(world.store, None, "parquet", str(tmp_path / "out"), QUIET)
    assert not (tmp_path / "out").exists()


def test_damaged_vectors_do_not_go_out(tmp_path: Path) -> None:
    gallery = shop(tmp_path / "store")
    gallery.write()
    broken = release(gallery)
    path = gallery.root / "indexes" / broken.index_id / "vectors.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(StageError, match=r"cannot be exported: .*vectors.npy is damaged: build the index again"):
        export_to_folder(gallery.store, None, "parquet", str(tmp_path / "out"), QUIET)
    with pytest.raises(StageError, match=r"run 'r', which made release .* is gone from the store"):
        gallery.store.delete("runs/r/preprocess/manifest.json")
        data[-1] ^= 1
        path.write_bytes(bytes(data))
        Source.open(gallery.store)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ([], "name a folder to write into, or a server with --url and --name"),
        (["out", "--to", "qdrant", "--url", "http://x", "--name", "n"], "give a folder, or --url, not both"),
        (["--to", "qdrant", "--url", "http://x"], "--url needs --name, the alias that readers ask"),
        (["--url", "http://x", "--name", "n"], "--url is for --to qdrant and --to opensearch"),
        (["out", "--name", "n"], "--name is for --url"),
        (["out", "--since", "r1"], "--since is for --to vertex; the other formats hold whole releases"),
        (["out", "--to", "pinecone"], "'pinecone' is not one of 'parquet', 'qdrant', 'opensearch', 'vertex'"),
    ],
)
def test_wrong_usage(tmp_path: Path, asked: list[str], told: str) -> None:
    result = CliRunner().invoke(main, ["export", "--config", str(tmp_path / "shop.toml"), *asked])
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


@pytest.mark.gcs
@pytest.mark.parametrize("to", ["parquet", "vertex"])
def test_a_bucket_holds_what_a_folder_does(world: World, to: str, tmp_path: Path, gcs: Emulator) -> None:
    gcs.heal()
    uri = gcs.new_store_uri()
    summary = export_to_folder(world.store, None, to, f"{uri}/out", QUIET)
    assert summary["uri"] == f"{uri}/out"
    export_to_folder(world.store, None, to, str(tmp_path / "out"), QUIET)
    place = open_store(f"{uri}/out")
    there = {entry.name: place.read(entry.name) for entry in place.list("")}
    differ = {name for name, data in files(tmp_path / "out").items() if there.pop(name) != data}
    assert not there
    assert differ == ({"metadata.json", "manifest.json"} if to == "vertex" else set())  # these name the bucket
    gcs.heal()
    export_to_folder(world.store, None, to, f"{uri}/out", QUIET)
    assert [asked for asked in gcs.asked() if asked.startswith("POST")] == []
    with pytest.raises(StageError, match="holds other files already"):
        export_to_folder(world.store, None, to, uri, QUIET)


@pytest.mark.gcs
def test_a_store_in_a_bucket_gives_what_a_folder_does(world: World, tmp_path: Path, gcs: Emulator) -> None:
    gcs.heal()
    store = open_store(gcs.new_store_uri())
    for entry in world.store.list(""):
        store.create(entry.name, world.store.read(entry.name))
    export_to_folder(store, None, "parquet", str(tmp_path / "of-bucket"), QUIET)
    export_to_folder(world.store, None, "parquet", str(tmp_path / "of-folder"), QUIET)
    assert files(tmp_path / "of-bucket") == files(tmp_path / "of-folder")
