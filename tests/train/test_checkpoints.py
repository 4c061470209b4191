"""Checkpoints in the store: what is kept of them, and how another machine goes on."""

import tarfile
from pathlib import Path

import pytest

from pipelines.errors import StageError
from pipelines.store import Store, UnavailableError, open_store
from pipelines.telemetry.progress import Progress
from pipelines.train.checkpoints import Checkpoints
from tests.gcs.emulator import Emulator


def write(folder: Path, step: int) -> str:
    """Write a checkpoint as a training does, and return how it says so."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"ckpt-{step}.index").write_bytes(f"index {step}".encode())
    (folder / f"ckpt-{step}.data-00000-of-00001").write_bytes(f"weights {step}".encode())
    (folder / "checkpoint").write_text("what TensorFlow says of many")
    (folder / "dtype").write_text("float32")
    return f"checkpoint of step {step}"


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.gcs)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    emulator: Emulator = request.getfixturevalue("gcs")
    emulator.heal()
    return open_store(emulator.new_store_uri())


def at(store: Store, folder: Path) -> Checkpoints:
    return Checkpoints(store, "runs/r/train/checkpoints/key", folder, Progress(quiet=True))


def test_another_machine_goes_on_from_the_newest_of_the_last_two(store: Store, tmp_path: Path) -> None:
    here, there = at(store, tmp_path / "here" / "checkpoints"), at(store, tmp_path / "there" / "checkpoints")
    here.restore()
    for step in (9, 10, 100):
        assert here.heard(write(here.folder, step))
    names = sorted(entry.name for entry in store.list("runs"))
    assert names == [f"runs/r/train/checkpoints/key/{step:09d}.tar" for step in (10, 100)]
    write(there.folder, 7)  # of an attempt that was here before: what the store has counts
    there.restore()
    assert {path.name: path.read_text() for path in there.folder.iterdir()} == {
        "ckpt-100.index": "index 100",
        "ckpt-100.data-00000-of-00001": "weights 100",
        "checkpoint": 'model_checkpoint_path: "ckpt-100"\nall_model_checkpoint_paths: "ckpt-100"\n',
        "dtype": "float32",
    }
    there.discard()
    assert not list(store.list("runs"))
    there.restore()
    assert not list(there.folder.iterdir())


@pytest.mark.parametrize("line", ["checkpoint of step", "checkpoint of step 4 is bad", "5%, step 4, loss 1.2"])
def test_other_lines_are_for_people(store: Store, tmp_path: Path, line: str) -> None:
    assert not at(store, tmp_path / "c").heard(line)


def test_a_checkpoint_that_the_training_has_dropped_already_is_passed_over(store: Store, tmp_path: Path) -> None:
    here = at(store, tmp_path / "c")
    late = write(here.folder, 1)
    for path in here.folder.glob("ckpt-1.*"):
        path.unlink()
    assert here.heard(late)
    assert here.newest() is None


def test_a_store_that_does_not_answer_stops_no_training(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unavailable(*_: object) -> bool:
        raise UnavailableError("503 of the service")

    here = Checkpoints(store, "runs/r/train/checkpoints/key", tmp_path / "c", Progress())
    with monkeypatch.context() as patch:
        patch.setattr(type(store), "create_from", unavailable)
        assert here.heard(write(here.folder, 1))
    assert "checkpoint 1 is not in the store yet: 503 of the service" in capsys.readouterr().err
    assert here.heard(write(here.folder, 2))
    assert here.newest() == "runs/r/train/checkpoints/key/000000002.tar"


def test_a_damaged_archive_is_named_with_what_to_do(store: Store, tmp_path: Path) -> None:
    store.create("runs/r/train/checkpoints/key/000000003.tar", b"no archive" * 100)
    with pytest.raises(StageError, match=r"key/000000003\.tar is damaged .*; delete it, and the training starts at"):
        at(store, tmp_path / "c").restore()


def test_an_archive_writes_nowhere_else(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "../outside")
    store.create_from("runs/r/train/checkpoints/key/000000004.tar", path)
    with pytest.raises(StageError, match="damaged"):
        at(store, tmp_path / "state" / "c").restore()
    assert not (tmp_path / "state" / "outside").exists()
